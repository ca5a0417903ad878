// Host memory that behaves as a GPU's does: what is asked of it happens when somebody waits.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "device/memory.hpp"

namespace helixcheck {

class DeferredMemory final : public Memory {
 public:
  std::string name() const override { return "deferred"; }
  bool is_host() const override { return false; }
  void* stream() const override { return nullptr; }
  std::byte* allocate(std::size_t bytes) override { return host_memory().allocate(bytes); }
  void release(std::byte* block) noexcept override { host_memory().release(block); }
  std::byte* allocate_host(std::size_t bytes) override { return allocate(bytes); }
  void release_host(std::byte* block) noexcept override { release(block); }

  void upload(void* to, const void* from, std::size_t bytes) override {
    later([=] { host_memory().upload(to, from, bytes); });
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    later([=] { host_memory().download(to, from, bytes); });
  }
  void fill(void* to, std::byte value, std::size_t bytes) override {
    later([=] { host_memory().fill(to, value, bytes); });
  }
  void exchange(const BlockExchange& blocks) override { host_memory().exchange(blocks); }
  void sum(const BlockSum& blocks) override { host_memory().sum(blocks); }

  void synchronize() override {
    for (const std::function<void()>& work : work_) work();
    work_.clear();
  }

 private:
  void later(std::function<void()> work) { work_.push_back(std::move(work)); }

  std::vector<std::function<void()>> work_;
};

}  // namespace helixcheck
