// A prepared statement with typed parameters and columns. Values are bound and read in order, so
// that one list of a record's fields serves both ways.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "store/connection.hpp"

struct sqlite3_stmt;

namespace helixcheck {

class Statement {
 public:
  Statement(const Connection& connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds the next parameters. What is bound must live until the statement has run.
  template <typename... Values>
  Statement& bind(const Values&... values) {
    (put(values), ...);
    return *this;
  }
  template <typename... Values>
  Statement& bind(const std::tuple<Values...>& values) {
    std::apply([this](const auto&... value) { (this->put(value), ...); }, values);
    return *this;
  }

  // True: there is a row to read. False: it has run, and may be bound and run again.
  bool step();
  void run();

  // Reads the next columns of the row.
  template <typename... Values>
  void read(Values&... values) {
    (get(values), ...);
  }
  template <typename... Values>
  void read(const std::tuple<Values&...>& values) {
    std::apply([this](auto&... value) { (this->get(value), ...); }, values);
  }

 private:
  // 64-bit numbers without a sign keep their bits, what is not a number becomes NULL, and lists
  // become one text with commas.
  void put(std::int64_t value);
  void put(std::uint64_t value) { put(static_cast<std::int64_t>(value)); }
  void put(int value) { put(std::int64_t{value}); }
  void put(bool value) { put(std::int64_t{value}); }
  void put(double value);
  void put(const std::string& value);
  void put(const char* value) = delete;  // it would be taken for a bool
  void put(const std::vector<std::string>& value);
  void put(const std::vector<std::uint8_t>& value);
  void get(std::int64_t& value);
  void get(std::uint64_t& value);
  void get(int& value);
  void get(bool& value);
  void get(double& value);
  void get(std::string& value);
  void get(std::vector<std::string>& value);
  void get(std::vector<std::uint8_t>& value);
  void check(int code) const;

  const Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
  int parameter_ = 0, column_ = 0;  // of these, how many were bound or read
};

}  // namespace helixcheck
