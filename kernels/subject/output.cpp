// Stage `output`: value up-projection of the owned heads, this rank's share of the output
// projection, and the sum over all ranks.

#include <vector>

#include "kernels/check.hpp"
#include "kernels/subject/blas.hpp"
#include "kernels/subject/instance.hpp"

namespace helixcheck::cuda {
namespace {

void project_values(const Call& call, hxc_step* const* ranks) {
  std::vector<RowProduct> products;
  for (std::size_t i = 0; i < call.self.ranks; ++i) {
    for (std::int64_t h = 0; h < call.any.place->owned_heads; ++h) {
      products.push_back({head_of(ranks[i]->combined, 1, h),
                          head_of(call.self.weights[i].v_b, 0, h), head_of(ranks[i]->v_up, 1, h)});
    }
  }
  const hxc_model& model = *call.any.model;
  multiply_rows({call.any.rows, model.kv_lora_rank, model.v_head_dim, call.any.combined.stride[0],
                 call.self.weights[0].v_b.stride[1], call.any.v_up.stride[0], false, model.dtype},
                products, call.stream);
}

void project_output(const Call& call, hxc_step* const* ranks) {
  std::vector<RowProduct> products;
  for (std::size_t i = 0; i < call.self.ranks; ++i) {
    products.push_back(
        {ranks[i]->v_up.data, call.self.weights[i].o.data, ranks[i]->o_partial.data});
  }
  const hxc_tensor& o = call.self.weights[0].o;
  multiply_rows({call.any.rows, o.shape[1], o.shape[0], call.any.v_up.stride[0], o.stride[0],
                 call.any.o_partial.stride[0], false, call.any.model->dtype},
                products, call.stream);
}

}  // namespace

int output(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    project_values(call, ranks);
    project_output(call, ranks);
    std::vector<const void*> send;
    std::vector<void*> receive;
    for (std::size_t i = 0; i < call.self.ranks; ++i) {
      send.push_back(ranks[i]->o_partial.data);
      receive.push_back(ranks[i]->output.data);
    }
    const hxc_model& model = *call.any.model;
    if (comm->all_reduce(comm, HXC_GROUP_ALL, send.data(), receive.data(),
                         call.any.rows * model.hidden_size, model.dtype, call.any.step,
                         error) != 0) {
      throw SubjectError(error->message);
    }
  });
}

}  // namespace helixcheck::cuda
