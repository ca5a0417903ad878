// A plug-in that is right until it misbehaves, for testing what watches over subjects. The
// environment variable HELIXCHECK_MISBEHAVE names one of these modes; without it, or where a mode
// does nothing, attend and exchange are the CPU subject's, bit for bit.
//
//   mode        | what it does                                                    | when
//   ------------|-----------------------------------------------------------------|------------
//   segfault    | writes to an address nobody has                                 | rare
//   abort       | calls abort()                                                   | rare
//   exit0       | calls exit(0)                                                   | rare
//   exit7       | calls _exit(7)                                                  | rare
//   throw       | throws a C++ exception through the C boundary                   | rare
//   fpe         | divides an integer by zero                                      | rare
//   stack       | recurses without end                                            | rare
//   kill_self   | sends itself SIGKILL                                            | rare
//   heap        | writes past a heap block and frees it                           | rare
//   heap_later  | writes past a heap block; a later call of attend frees it       | rare
//   oom         | allocates and touches memory without end                        | rare
//   spin        | loops without end in attend                                     | rare
//   stubborn    | the same, with SIGTERM and SIGINT ignored                       | rare
//   sleep       | sleeps without end in exchange; under MPI on KVP rank 1 alone,  | rare
//               | so that the others wait for it in the collective                |
//   fork        | leaves a child that sleeps 5 minutes and holds every descriptor | rare, once
//   close_fds   | closes every file descriptor                                    | rare
//   wrong       | changes the first value of a row's result                       | rare
//   wrong_after | the same, on other than interleaved ownership, once this process| rare
//               | has seen a scenario of interleaved ownership                    |
//   picky       | refuses all but the rare scenarios                              | create
//   picky_wrong | the same, and changes a value as `wrong` does                   | rare
//   leak        | keeps 64 KiB more, touched                                      | every call
//   leak_create | the same in create, whose instance is destroyed                 | every call
//   noise       | prints 4 MiB to stdout and 4 MiB to stderr                      | every call
//
// `rare` is a condition on the scenario alone: an fp16 model on two or more KVP ranks with LSEs of
// base 2; about 2 in 100 small cases meet it. Calls are those of attend, one a step.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

constexpr std::size_t kLeak = 64 << 10;
constexpr std::size_t kNoise = 4 << 20;
constexpr std::size_t kBlock = 4096;  // bytes; beyond what the allocator keeps in bins of one size

bool is_rare(const hxc_model& model, const hxc_rank& place) {
  return model.dtype == HXC_FP16 && place.kvp >= 2 && place.lse_form == HXC_LSE_LOG2;
}
bool is_rare(const hxc_step& step) {
  return is_rare(*step.model, *step.place);
}

// What the optimiser cannot know.
template <typename T>
T opaque(T value) {
  volatile T hidden = value;
  return hidden;
}

void sleep_on() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void spin_on() {
  while (opaque(true)) {
  }
}

int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  if (opaque(depth) < 0) return 0;
  return recurse(depth + 1) + frame[0];
}

void divide_by_zero() {
  std::fprintf(stderr, "%d\n", opaque(1) / opaque(0));
  std::raise(SIGFPE);  // where the processor does not trap
}

// Where memory is refused, what nobody catches ends the process.
void fill_memory() noexcept {
  for (;;) {
    const std::size_t bytes = opaque<std::size_t>(16 << 20);
    std::memset(opaque(new char[bytes]), 1, bytes);
  }
}

// The block, with the size of its neighbour overwritten: free() of it notices.
void* spoilt_block() {
  void* block = std::malloc(kBlock);
  auto* bytes = static_cast<volatile char*>(block);
  for (std::size_t i = 0; i < opaque(kBlock + 24); ++i) bytes[i] = static_cast<char>(0xff);
  return block;
}

void leave_child() {
  static std::atomic<bool> done = false;
  if (done.exchange(true) || fork() != 0) return;
  sleep(300);
  _exit(0);
}

void close_descriptors() {
  for (long i = 0, end = sysconf(_SC_OPEN_MAX); i < std::min(end, 65536l); ++i) {
    close(static_cast<int>(i));
  }
}

void leak() {
  std::memset(opaque(std::malloc(kLeak)), 1, kLeak);
}

void make_noise() {
  std::string line(127, 'x');
  line += '\n';
  for (std::FILE* stream : {stdout, stderr}) {
    for (std::size_t n = 0; n < kNoise; n += line.size()) std::fputs(line.c_str(), stream);
    std::fflush(stream);
  }
}

// The block whose free() is put off; another thread's cases may do it.
std::atomic<void*> put_off = nullptr;

std::atomic<bool> saw_interleaved = false;

void segfault() {
  *opaque(reinterpret_cast<volatile int*>(8)) = 1;
}

void ignore_signals_and_spin() {
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  spin_on();
}

void change_value(const hxc_step& step) {
  if (step.rows == 0) return;
  const Dtype dtype = dtype_of(step.partial_o);
  const std::uint32_t code = load_code(dtype, at(step.partial_o), 0);
  store_code(dtype, at(step.partial_o), 0, encode(dtype, 3 + decode(dtype, code)));
}

enum class When { rare, always };

struct Mode {
  std::string_view name;
  When when;
  void (*act)();
};

constexpr Mode kModes[] = {
    {"segfault", When::rare, segfault},
    {"abort", When::rare, [] { std::abort(); }},
    {"exit0", When::rare, [] { std::exit(0); }},
    {"exit7", When::rare, [] { _exit(7); }},
    {"throw", When::rare, [] { throw std::runtime_error("an exception across the boundary"); }},
    {"fpe", When::rare, divide_by_zero},
    {"stack", When::rare, [] { recurse(0); }},
    {"kill_self", When::rare, [] { std::raise(SIGKILL); }},
    {"heap", When::rare, [] { std::free(opaque(spoilt_block())); }},
    {"heap_later", When::rare, [] { std::free(put_off.exchange(spoilt_block())); }},
    {"oom", When::rare, fill_memory},
    {"spin", When::rare, spin_on},
    {"stubborn", When::rare, ignore_signals_and_spin},
    {"sleep", When::rare, [] {}},  // in exchange
    {"fork", When::rare, leave_child},
    {"close_fds", When::rare, close_descriptors},
    {"wrong", When::rare, [] {}},  // after attend
    {"wrong_after", When::rare, [] {}},
    {"picky", When::rare, [] {}},  // in create
    {"picky_wrong", When::rare, [] {}},
    {"leak", When::always, leak},
    {"leak_create", When::rare, [] {}},  // in create
    {"noise", When::always, make_noise},
};

std::string_view mode_name() {
  const char* named = std::getenv("HELIXCHECK_MISBEHAVE");
  return named != nullptr ? named : "";
}

const Mode* find_mode(std::string_view name) {
  const auto* found = std::find_if(std::begin(kModes), std::end(kModes),
                                   [&](const Mode& mode) { return mode.name == name; });
  return found != std::end(kModes) ? found : nullptr;
}

int attend(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const hxc_step& step = *ranks[0];
  const Mode* mode = find_mode(mode_name());
  std::free(put_off.exchange(nullptr));
  if (mode != nullptr && (mode->when == When::always || is_rare(step))) mode->act();
  const int status = cpu::attend(self, ranks, comm, error);
  const bool interleaved = step.place->ownership == HXC_INTERLEAVED;
  const bool later = mode_name() == "wrong_after" && saw_interleaved && !interleaved;
  if (interleaved) saw_interleaved = true;
  const bool wrong = mode_name() == "wrong" || mode_name() == "picky_wrong";
  if (is_rare(step) && (wrong || later)) change_value(step);
  return status;
}

int exchange(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const bool held = comm->local_ranks > 1 || ranks[0]->place->kvp_rank == 1;
  if (mode_name() == "sleep" && held && is_rare(*ranks[0])) sleep_on();
  return cpu::exchange(self, ranks, comm, error);
}

int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
           const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  const std::string name(mode_name());
  if (!name.empty() && find_mode(name) == nullptr) {
    std::snprintf(error->message, sizeof error->message, "HELIXCHECK_MISBEHAVE names no mode: '%s'",
                  name.c_str());
    return 1;
  }
  if (name.starts_with("picky") && !is_rare(*model, *places[0])) {
    std::snprintf(error->message, sizeof error->message, "it is too common");
    return HXC_UNSUPPORTED;
  }
  if (name == "leak_create") leak();
  return cpu::subject().create(instance, model, places, weights, limits, error);
}

void destroy(void* instance) {
  cpu::subject().destroy(instance);
}

constexpr hxc_entry kEntries[] = {{HXC_ATTEND, HXC_ATTEND, attend},
                                  {HXC_EXCHANGE, HXC_EXCHANGE, exchange}};
constexpr hxc_subject kSubject{HXC_ABI_VERSION, HXC_HOST, "misbehaving", "cpu",  2,
                               kEntries,        create,   nullptr,       destroy};

}  // namespace
}  // namespace helixcheck

extern "C" const hxc_subject* helixcheck_subject(void) {
  return &helixcheck::kSubject;
}
