// Exceptions stop here: the boundary is C.

#include "helix/communicator.hpp"

#include <cstdio>
#include <exception>

namespace helixcheck {
namespace {

Group group_of(hxc_group group) {
  return group == HXC_GROUP_KVP ? Group::kvp : Group::all;
}

template <typename Collective>
int guarded(hxc_error* error, Collective collective) {
  try {
    collective();
    return 0;
  } catch (const std::exception& e) {
    std::snprintf(error->message, sizeof error->message, "%s", e.what());
    return 1;
  }
}

int all_to_all(hxc_comm* comm, hxc_group group, const void* const* send, void* const* recv,
               size_t bytes, int64_t step, hxc_error* error) {
  World& world = *static_cast<World*>(comm->world);
  const auto ranks = static_cast<std::size_t>(comm->local_ranks);
  return guarded(error, [&] {
    world.all_to_all(group_of(group), {send, ranks}, {recv, ranks}, bytes, step);
  });
}

int all_gather(hxc_comm* comm, hxc_group group, const void* const* send, void* const* recv,
               size_t bytes, int64_t step, hxc_error* error) {
  World& world = *static_cast<World*>(comm->world);
  const auto ranks = static_cast<std::size_t>(comm->local_ranks);
  return guarded(error, [&] {
    world.all_gather(group_of(group), {send, ranks}, {recv, ranks}, bytes, step);
  });
}

int all_reduce(hxc_comm* comm, hxc_group group, const void* const* send, void* const* recv,
               int64_t count, int32_t dtype, int64_t step, hxc_error* error) {
  World& world = *static_cast<World*>(comm->world);
  const auto ranks = static_cast<std::size_t>(comm->local_ranks);
  return guarded(error, [&] {
    world.all_reduce(group_of(group), {send, ranks}, {recv, ranks}, count, dtype, step);
  });
}

int reduce_scatter(hxc_comm* comm, hxc_group group, const void* const* send, void* const* recv,
                   int64_t count, int32_t dtype, int64_t step, hxc_error* error) {
  World& world = *static_cast<World*>(comm->world);
  const auto ranks = static_cast<std::size_t>(comm->local_ranks);
  return guarded(error, [&] {
    world.reduce_scatter(group_of(group), {send, ranks}, {recv, ranks}, count, dtype, step);
  });
}

}  // namespace

hxc_comm make_communicator(World& world) {
  hxc_comm comm{};
  comm.world = &world;
  comm.local_ranks = world.local_ranks();
  comm.all_to_all = all_to_all;
  comm.all_gather = all_gather;
  comm.all_reduce = all_reduce;
  comm.reduce_scatter = reduce_scatter;
  return comm;
}

}  // namespace helixcheck
