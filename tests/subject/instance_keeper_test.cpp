// Which instances serve a later scenario, how long they live, and that each is destroyed once.

#include "subject/instance_keeper.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "scenario/error.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/subject.hpp"

namespace helixcheck {
namespace {

// A subject that counts its instances. Ids begin at 1.
struct Made {
  std::int64_t id;
  const hxc_model* model;
  hxc_model as_created;
  std::vector<const hxc_rank*> places;
  hxc_limits limits;
};
struct Count {
  std::int64_t created = 0, destroyed = 0;
  std::map<const Made*, int> alive;
  int status = 0;        // what create returns next
  bool without = false;  // instances are null pointers
};
thread_local Count count;

int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
           const hxc_weights* const*, const hxc_limits* limits, hxc_error*) {
  const int status = count.status;
  if (status != 0) {
    *instance = &count;  // nothing that destroy could be given
    return status;
  }
  ++count.created;
  if (count.without) return 0;
  auto* made = new Made{count.created, model, *model, {}, *limits};
  for (std::int32_t i = 0; i < limits->local_ranks; ++i) made->places.push_back(places[i]);
  ++count.alive[made];
  *instance = made;
  return 0;
}

void destroy(void* instance) {
  auto* made = static_cast<Made*>(instance);
  ++count.destroyed;
  ASSERT_EQ(count.alive.erase(made), 1u) << "no instance, or destroyed before";
  delete made;
}

int fails(void*, hxc_step* const*, hxc_comm*, hxc_error*) {
  return 5;
}
int works(void*, hxc_step* const*, hxc_comm*, hxc_error*) {
  return 0;
}
int throws(void*, hxc_step* const*, hxc_comm*, hxc_error*) {
  throw 7;
}

constexpr hxc_entry kEntries[] = {{HXC_ATTEND, HXC_ATTEND, works},
                                  {HXC_EXCHANGE, HXC_EXCHANGE, fails},
                                  {HXC_COMBINE, HXC_COMBINE, throws}};
const hxc_subject kTable{HXC_ABI_VERSION, HXC_HOST, "counting", "cpu",  3,
                         kEntries,        create,   nullptr,    destroy};
const hxc_subject kOther{HXC_ABI_VERSION, HXC_HOST, "other", "cpu",  3,
                         kEntries,        create,   nullptr, destroy};

// What an instance is made from, with a value in every field.
struct Input {
  std::vector<double> inv_freq{1.0, 0.5};
  hxc_model model{8, 4, 3, 16, 5, 4, 6, 1e-6, 0.25, 1.0, nullptr, 1, HXC_BF16, HXC_FP16, 0.5, 3};
  hxc_rank places[2] = {{2, 1, 0, 0, 4, 2, HXC_INTERLEAVED, HXC_OWNER_LAST, 2, 16, HXC_LSE_LN},
                        {2, 1, 1, 0, 4, 2, HXC_INTERLEAVED, HXC_OWNER_LAST, 2, 16, HXC_LSE_LN}};
  hxc_weights weights[2] = {};
  hxc_limits limits{5, 0, 3, 9, 100, 2};
  std::vector<const hxc_rank*> place_list{&places[0], &places[1]};
  std::vector<const hxc_weights*> weight_list{&weights[0], &weights[1]};

  Input() { model.inv_freq = inv_freq.data(); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
};

class Keeper : public testing::Test {
 protected:
  Keeper() { count = Count(); }
  ~Keeper() override {
    keeper_.reset();
    EXPECT_EQ(count.created - (count.without ? count.created : 0), count.destroyed);
    EXPECT_TRUE(count.alive.empty()) << "each instance is destroyed";
  }

  Made* take(const Input& input, const hxc_subject& table = kTable) {
    int status = -1;
    hxc_error error{};
    void* handle = keeper_->take(
        {table, input.model, input.place_list, input.weight_list, input.limits}, status, error);
    EXPECT_EQ(status, count.status);
    return static_cast<Made*>(handle);
  }
  void give_back(Made* made, bool reusable = true, const hxc_subject& table = kTable) {
    keeper_->give_back(table, made, reusable);
  }
  // The instance that a scenario gets, by its id.
  std::int64_t serve(const Input& input, bool reusable = true, const hxc_subject& table = kTable) {
    keeper_->next_scenario();
    Made* made = take(input, table);
    const std::int64_t id = made->id;
    give_back(made, reusable, table);
    return id;
  }

  std::unique_ptr<InstanceKeeper> keeper_ = std::make_unique<InstanceKeeper>();
  const Input input_;
};

TEST_F(Keeper, ServesTheNextScenarioWithTheSameInstance) {
  EXPECT_EQ(serve(input_), 1);
  EXPECT_EQ(serve(input_), 1);
  const Input equal;  // another place in memory
  EXPECT_EQ(serve(equal), 1);
  EXPECT_EQ(keeper_->reused(), 2u);
  EXPECT_EQ(count.destroyed, 0);
}

TEST_F(Keeper, TwoAtATimeAreTwo) {
  keeper_->next_scenario();
  Made *one = take(input_), *two = take(input_);
  EXPECT_NE(one, two);
  give_back(one);
  EXPECT_EQ(take(input_), one);
  give_back(two);
  give_back(one);
  EXPECT_EQ(count.created, 2);
}

// Whatever an instance may depend on.
TEST_F(Keeper, OtherModelsPlacesAndLimitsNeedOtherInstances) {
  const auto differs = [this](const char* field, const std::function<void(Input&)>& change) {
    Input other;
    change(other);
    const std::int64_t plain = serve(input_), changed = serve(other);
    EXPECT_NE(plain, changed) << field;
    EXPECT_EQ(serve(other), changed) << field << ": but that one serves again";
    keeper_ = nullptr;
    keeper_ = std::make_unique<InstanceKeeper>();
  };
#define DIFFERS(field) differs(#field, [](Input& input) { input.field += 1; })
  DIFFERS(model.hidden_size);
  DIFFERS(model.num_heads);
  DIFFERS(model.q_lora_rank);
  DIFFERS(model.kv_lora_rank);
  DIFFERS(model.qk_nope_head_dim);
  DIFFERS(model.v_head_dim);
  DIFFERS(model.rms_norm_eps);
  DIFFERS(model.softmax_scale);
  DIFFERS(model.cos_scale);
  DIFFERS(model.rope_interleave);
  DIFFERS(model.dtype);
  DIFFERS(model.kv_dtype);
  DIFFERS(model.kv_scale);
  DIFFERS(model.position_base);
  DIFFERS(inv_freq[1]);
  DIFFERS(places[1].kvp);
  DIFFERS(places[1].tpa);
  DIFFERS(places[1].kvp_rank);
  DIFFERS(places[1].tpa_rank);
  DIFFERS(places[1].heads);
  DIFFERS(places[1].owned_heads);
  DIFFERS(places[1].ownership);
  DIFFERS(places[1].decode_owner);
  DIFFERS(places[1].interleave);
  DIFFERS(places[1].tokens_per_block);
  DIFFERS(places[1].lse_form);
  differs("max_rows", [](Input& input) { input.limits.max_rows = 8 + 1; });
  DIFFERS(limits.max_prompt_rows);
  differs("max_requests", [](Input& input) { input.limits.max_requests = 4 + 1; });
  differs("max_pages_per_request",
          [](Input& input) { input.limits.max_pages_per_request = 16 + 1; });
  differs("max_local_len", [](Input& input) { input.limits.max_local_len = 128 + 1; });
#undef DIFFERS
  differs("qk_rope_head_dim", [](Input& input) { input.model.qk_rope_head_dim = 2; });
  differs("no inv_freq", [](Input& input) { input.model.inv_freq = nullptr; });
  differs("one rank", [](Input& input) {
    input.place_list.pop_back();
    input.weight_list.pop_back();
    input.limits.local_ranks = 1;
  });
}

TEST_F(Keeper, OtherTablesNeedOtherInstances) {
  EXPECT_EQ(serve(input_), 1);
  EXPECT_EQ(serve(input_, true, kOther), 2);
  EXPECT_EQ(serve(input_), 1);
}

// Limits that are nearly the same are the same: an instance is made for the larger ones.
TEST_F(Keeper, LimitsAreRoundedUp) {
  Input other;
  other.limits = {8, 0, 4, 16, 128, 2};
  EXPECT_EQ(serve(input_), 1);
  EXPECT_EQ(serve(other), 1);
  Made* made = take(input_);
  const hxc_limits& got = made->limits;
  EXPECT_EQ(got.max_rows, 8);
  EXPECT_EQ(got.max_prompt_rows, 0);
  EXPECT_EQ(got.max_requests, 4);
  EXPECT_EQ(got.max_pages_per_request, 16);
  EXPECT_EQ(got.max_local_len, 128);
  EXPECT_EQ(got.local_ranks, 2);
  give_back(made);
}

// "What create was given stays where it is until destroy", though its scenario is gone.
TEST_F(Keeper, WhatCreateWasGivenStays) {
  auto first = std::make_unique<Input>();
  EXPECT_EQ(serve(*first), 1);
  first->inv_freq.assign(2, -1);
  first->model = {};
  first->places[0] = first->places[1] = {};
  first.reset();
  Made* made = take(input_);
  ASSERT_EQ(made->id, 1);
  EXPECT_EQ(made->model->hidden_size, 8);
  EXPECT_EQ(made->model->inv_freq[1], 0.5);
  EXPECT_EQ(made->places[1]->kvp_rank, 1);
  EXPECT_EQ(made->places[0]->tokens_per_block, 16);
  give_back(made);
}

TEST_F(Keeper, AnInstanceLivesForSixteenScenarios) {
  for (std::uint64_t i = 0; i < InstanceKeeper::kLife; ++i) EXPECT_EQ(serve(input_), 1) << i;
  EXPECT_EQ(serve(input_), 2);
  EXPECT_EQ(count.destroyed, 1);
  for (std::uint64_t i = 1; i < InstanceKeeper::kLife; ++i) keeper_->next_scenario();
  EXPECT_EQ(count.destroyed, 1);
  keeper_->next_scenario();
  EXPECT_EQ(count.destroyed, 2) << "also if nobody asks for it";
}

TEST_F(Keeper, WhatIsInUseLivesOn) {
  keeper_->next_scenario();
  Made* made = take(input_);
  for (std::uint64_t i = 0; i < 2 * InstanceKeeper::kLife; ++i) keeper_->next_scenario();
  EXPECT_EQ(count.destroyed, 0);
  give_back(made);
  keeper_->next_scenario();
  EXPECT_EQ(count.destroyed, 1);
}

TEST_F(Keeper, AFailedEntryEndsAnInstance) {
  EXPECT_EQ(serve(input_, false), 1);
  EXPECT_EQ(count.destroyed, 1) << "at once";
  EXPECT_EQ(serve(input_), 2);
}

// `layer` draws weights for each scenario: an instance may have packed them.
TEST_F(Keeper, WhatWasGivenWeightsIsNotKept) {
  Input layer;
  double data = 0;
  for (hxc_weights& one : layer.weights) one.o.data = &data;
  EXPECT_EQ(serve(layer), 1);
  EXPECT_EQ(count.destroyed, 1) << "with its scenario";
  EXPECT_EQ(serve(input_), 2);
  EXPECT_EQ(serve(layer), 3) << "nor does a kept one serve it";
  EXPECT_EQ(serve(input_), 2);
  EXPECT_EQ(keeper_->reused(), 1u);
}

TEST_F(Keeper, WhatCannotBeCreatedIsNotKept) {
  for (const int status : {HXC_UNSUPPORTED, HXC_NO_MEMORY, 17}) {
    count.status = status;
    keeper_->next_scenario();
    EXPECT_EQ(take(input_), nullptr) << "whatever create left there";
  }
  count.status = 0;
  EXPECT_EQ(serve(input_), 1);
}

// A subject without state: there is nothing to keep, and nothing may pile up.
TEST_F(Keeper, NullInstancesAreCreatedAnew) {
  count.without = true;
  for (int i = 1; i <= 20; ++i) {
    keeper_->next_scenario();
    EXPECT_EQ(take(input_), nullptr);
    EXPECT_EQ(count.created, i);
  }
  EXPECT_EQ(keeper_->reused(), 0u);
}

TEST_F(Keeper, BelongsToItsThread) {
  EXPECT_EQ(InstanceKeeper::current(), keeper_.get());
  std::thread([] {
    EXPECT_EQ(InstanceKeeper::current(), nullptr);
    const InstanceKeeper own;
    EXPECT_EQ(InstanceKeeper::current(), &own);
  }).join();
  EXPECT_EQ(InstanceKeeper::current(), keeper_.get());
  keeper_.reset();
  EXPECT_EQ(InstanceKeeper::current(), nullptr);
}

// The same through a subject, whose built-in part has an instance as well.
class KeptInstances : public Keeper {
 protected:
  using Make = std::unique_ptr<Subject::Instance>;
  Make make() const {
    return std::make_unique<Subject::Instance>(subject_, input_.model, input_.place_list,
                                               input_.weight_list, input_.limits);
  }
  void run(Subject::Instance& instance, hxc_stage stage) const {
    hxc_step step{};
    hxc_step* ranks[] = {&step};
    hxc_comm comm{};
    instance.run(subject_.part_of(stage), ranks, comm);
  }
  const Subject subject_{cpu::subject(), &kTable};
};

TEST_F(KeptInstances, OutliveTheirScenario) {
  for (int i = 0; i < 3; ++i) {
    keeper_->next_scenario();
    const Make instance = make();
    run(*instance, HXC_ATTEND);
    EXPECT_EQ(count.created, 1);
  }
  EXPECT_EQ(count.destroyed, 0);
  EXPECT_EQ(keeper_->reused(), 4u) << "the built-in part's, too";
}

TEST_F(KeptInstances, EndWithAnEntryThatFails) {
  for (const hxc_stage stage : {HXC_EXCHANGE, HXC_COMBINE}) {
    keeper_->next_scenario();
    const std::int64_t before = count.destroyed;
    {
      const Make instance = make();
      EXPECT_THROW(run(*instance, stage), StageError);
      EXPECT_EQ(count.destroyed, before);
    }
    EXPECT_EQ(count.destroyed, before + 1) << stage_name(stage);
  }
}

TEST_F(KeptInstances, GoBackIfTheOtherPartCannotBeCreated) {
  count.status = 17;
  EXPECT_THROW(make(), SubjectError);
  count.status = 0;
  make();
  EXPECT_EQ(keeper_->reused(), 1u) << "the built-in part's";
}

TEST_F(KeptInstances, EndWithTheirScenarioWithoutAKeeper) {
  keeper_.reset();
  for (int i = 1; i <= 3; ++i) {
    make();
    EXPECT_EQ(count.created, i);
    EXPECT_EQ(count.destroyed, i);
  }
}

}  // namespace
}  // namespace helixcheck
