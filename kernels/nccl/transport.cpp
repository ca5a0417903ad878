// One communicator for all ranks of a world, and one for the KVP groups of each width, split off
// it.
//
// Calls only enqueue work; what goes wrong later, NCCL reports through the communicator, which
// `settle` asks for while it waits. Multicast (NVLS) is left as the environment has it.

#include "kernels/nccl/transport.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <thread>
#include <utility>

#include "kernels/nccl/check.hpp"
#include "world/transport.hpp"

namespace helixcheck::cuda {

void check_nccl(ncclResult_t result, ncclComm_t communicator, const Site& site) {
  if (result == ncclSuccess) return;
  const char* more = ncclGetLastError(communicator);
  std::string problem = ncclGetErrorString(result);
  if (more != nullptr && *more != 0) problem += std::string(", ") + more;
  problem.erase(std::find(problem.begin(), problem.end(), '\n'), problem.end());
  fail(problem, false, site);
}

namespace {

// Asked once: a stream that is being recorded does not answer.
int device_of(Memory& memory) {
  int device = 0;
  HXC_CHECK(cudaStreamGetDevice(static_cast<cudaStream_t>(memory.stream()), &device));
  return device;
}

// Makes a GPU the thread's current one.
class OnDevice {
 public:
  explicit OnDevice(int device) {
    HXC_CHECK(cudaGetDevice(&former_));
    if (device == former_) return;
    HXC_CHECK(cudaSetDevice(device));
    changed_ = true;
  }
  ~OnDevice() {
    if (changed_) cudaSetDevice(former_);
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  int former_ = 0;
  bool changed_ = false;
};

class Communicator {
 public:
  explicit Communicator(ncclComm_t handle) : handle_(handle) {}
  ~Communicator() { ncclCommDestroy(handle_); }
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  ncclComm_t get() const { return handle_; }
  int size() const {
    int count = 0;
    HXC_NCCL_CHECK(handle_, ncclCommCount(handle_, &count));
    return count;
  }
  // What has gone wrong since, perhaps in another process.
  void check_async() const {
    ncclResult_t state = ncclSuccess;
    HXC_NCCL_CHECK(handle_, ncclCommGetAsyncError(handle_, &state));
    if (state != ncclInProgress) {
      check_nccl(state, handle_, {"a collective of NCCL in flight", __FILE__, __LINE__});
    }
  }

 private:
  ncclComm_t handle_;
};

std::unique_ptr<Communicator> connect(const NcclPlace& place, const Broadcast& broadcast) {
  std::array<std::byte, sizeof(ncclUniqueId) + 1> message{};  // and whether it was made
  ncclUniqueId id{};
  ncclResult_t made = ncclSuccess;
  if (place.rank == 0) {
    made = ncclGetUniqueId(&id);
    std::memcpy(message.data(), &id, sizeof id);
    message.back() = std::byte{made == ncclSuccess};
  }
  broadcast(message);
  HXC_NCCL_CHECK(nullptr, made);
  if (message.back() == std::byte{0}) {
    fail("rank 0 could not make one", false, {"ncclGetUniqueId", __FILE__, __LINE__});
  }
  std::memcpy(&id, message.data(), sizeof id);
  ncclComm_t handle = nullptr;
  HXC_NCCL_CHECK(nullptr, ncclCommInitRank(&handle, place.size, id, place.rank));
  return std::make_unique<Communicator>(handle);
}

std::unique_ptr<Communicator> split(const Communicator& all, const NcclPlace& place, int kvp) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.splitShare = 1;  // one stream uses both, in turn
  ncclComm_t handle = nullptr;
  HXC_NCCL_CHECK(all.get(),
                 ncclCommSplit(all.get(), place.rank / kvp, place.rank, &handle, &config));
  return std::make_unique<Communicator>(handle);
}

ncclDataType_t type_of(std::int32_t dtype) {
  switch (dtype) {
    case HXC_FP32: return ncclFloat32;
    case HXC_FP16: return ncclFloat16;
    case HXC_BF16: return ncclBfloat16;
    default: break;
  }
  throw SubjectError("NCCL adds fp32, fp16 and bf16 here, but a sum was asked of dtype " +
                     std::to_string(dtype));
}

class NcclTransport final : public Transport {
 public:
  NcclTransport(const Communicator& all, const Communicator& kvp, int device, bool send_recv)
      : all_(all), kvp_(kvp), device_(device), send_recv_(send_recv) {}

  std::string_view name() const override { return send_recv_ ? "sendrecv" : "alltoall"; }

  void move(Memory& memory, const Blocks& blocks) override {
    if (blocks.bytes == 0) return;
    const OnDevice device(device_);
    const Communicator& group = group_of(blocks.group);
    const auto stream = static_cast<cudaStream_t>(memory.stream());
    if (blocks.gather) {
      HXC_NCCL_CHECK(group.get(), ncclAllGather(blocks.send, blocks.recv, blocks.bytes, ncclUint8,
                                                group.get(), stream));
    } else if (send_recv_) {
      send_and_receive(group, blocks, stream);
    } else {
      HXC_NCCL_CHECK(group.get(), ncclAlltoAll(blocks.send, blocks.recv, blocks.bytes, ncclUint8,
                                               group.get(), stream));
    }
  }

  void add(Memory& memory, const Sum& sum) override {
    const ncclDataType_t type = type_of(sum.dtype);
    if (sum.count == 0) return;
    const OnDevice device(device_);
    const Communicator& group = group_of(sum.group);
    const auto stream = static_cast<cudaStream_t>(memory.stream());
    const auto count = static_cast<std::size_t>(sum.count);
    if (sum.scatter) {
      HXC_NCCL_CHECK(group.get(), ncclReduceScatter(sum.send, sum.recv, count, type, ncclSum,
                                                    group.get(), stream));
    } else {
      HXC_NCCL_CHECK(group.get(),
                     ncclAllReduce(sum.send, sum.recv, count, type, ncclSum, group.get(), stream));
    }
  }

  void settle(Memory& memory) override {
    const auto stream = static_cast<cudaStream_t>(memory.stream());
    for (int asked = 0;; ++asked) {
      const cudaError_t state = cudaStreamQuery(stream);
      if (state != cudaErrorNotReady) {
        check(state, {"cudaStreamQuery of work up to a collective", __FILE__, __LINE__});
        break;
      }
      all_.check_async();
      kvp_.check_async();
      // Microseconds first: most waits end in some. Then this core is for others.
      if (asked > 1000) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    all_.check_async();
    kvp_.check_async();
  }

 private:
  const Communicator& group_of(Group group) const { return group == Group::kvp ? kvp_ : all_; }

  static void send_and_receive(const Communicator& group, const Blocks& blocks,
                               cudaStream_t stream) {
    const auto* from = static_cast<const std::byte*>(blocks.send);
    auto* to = static_cast<std::byte*>(blocks.recv);
    const int members = group.size();
    HXC_NCCL_CHECK(group.get(), ncclGroupStart());
    for (int member = 0; member < members; ++member) {
      const std::size_t place = static_cast<std::size_t>(member) * blocks.bytes;
      HXC_NCCL_CHECK(group.get(),
                     ncclSend(from + place, blocks.bytes, ncclUint8, member, group.get(), stream));
      HXC_NCCL_CHECK(group.get(),
                     ncclRecv(to + place, blocks.bytes, ncclUint8, member, group.get(), stream));
    }
    HXC_NCCL_CHECK(group.get(), ncclGroupEnd());
  }

  const Communicator& all_;
  const Communicator& kvp_;
  int device_;
  bool send_recv_;
};

class RankGroup final : public NcclGroup {
 public:
  RankGroup(Memory& memory, const NcclPlace& place, const Broadcast& broadcast)
      : device_(device_of(memory)), place_(place) {
    const OnDevice device(device_);
    all_ = connect(place, broadcast);
  }

  Transport& transport(int kvp, bool send_recv) override {
    std::unique_ptr<NcclTransport>& known = transports_[{kvp, send_recv}];
    if (!known)
      known = std::make_unique<NcclTransport>(*all_, communicator(kvp), device_, send_recv);
    return *known;
  }

 private:
  const Communicator& communicator(int kvp) {
    if (kvp == place_.size) return *all_;
    std::unique_ptr<Communicator>& known = groups_[kvp];
    if (!known) {
      const OnDevice device(device_);
      known = split(*all_, place_, kvp);
    }
    return *known;
  }

  int device_;
  NcclPlace place_;
  std::unique_ptr<Communicator> all_;
  std::map<int, std::unique_ptr<Communicator>> groups_;  // by width; end before `all_`
  std::map<std::pair<int, bool>, std::unique_ptr<NcclTransport>> transports_;
};

}  // namespace

std::string nccl_version() {
  int version = 0;
  HXC_NCCL_CHECK(nullptr, ncclGetVersion(&version));
  return "NCCL " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) +
         "." + std::to_string(version % 100);
}

// The library that is found at run time may be another than the one this was built with.
std::string nccl_missing() {
  int version = 0;
  if (ncclGetVersion(&version) != ncclSuccess) return "NCCL does not tell its version";
  if (version >= NCCL_VERSION(2, 28, 0)) return "";
  return nccl_version() + " is too old: ncclAlltoAll came with 2.28";
}

std::unique_ptr<NcclGroup> make_nccl_group(Memory& memory, const NcclPlace& place,
                                           const Broadcast& broadcast) {
  name_rank(place.rank);
  return std::make_unique<RankGroup>(memory, place, broadcast);
}

}  // namespace helixcheck::cuda
