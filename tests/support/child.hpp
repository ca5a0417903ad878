// A forked process that works until it is done or killed, and says how far it has come.

#pragma once

#include <cstdint>
#include <functional>
#include <sys/types.h>

namespace helixcheck {

class Child {
 public:
  // `work` gets a function that passes a number to the parent. An exception ends the child with
  // status 1, and its sentence goes to standard error.
  using Say = std::function<void(std::int64_t)>;
  explicit Child(const std::function<void(const Say&)>& work);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t id() const { return id_; }
  // Waits for its next number; false when there is none left and it has ended.
  bool hear(std::int64_t& number) const;
  void kill();  // SIGKILL, and waits for its end
  int wait();   // its exit status; 128 + signal

 private:
  pid_t id_ = 0;
  int from_ = -1;
};

}  // namespace helixcheck
