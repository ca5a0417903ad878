// Messages over pipes arrive whole and in order, in whatever pieces the bytes come; a reader that
// is gone is no reason to end.

#include "process/frames.hpp"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "process/child.hpp"
#include "support/child.hpp"

namespace helixcheck {
namespace {

// A frame as it goes through a pipe.
std::string frame(const std::string& bytes) {
  const std::size_t size = bytes.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + bytes;
}

void put(const Pipe& pipe, const std::string& bytes) {
  ASSERT_EQ(write(pipe.write_end(), bytes.data(), bytes.size()),
            static_cast<ssize_t>(bytes.size()));
}

std::vector<std::string> all_of(FrameReader& reader) {
  std::vector<std::string> frames;
  while (const std::optional<std::string> next = reader.next()) frames.push_back(*next);
  return frames;
}

class Frames : public testing::Test {
 protected:
  Frames() { fcntl(pipe_.read_end(), F_SETFL, O_NONBLOCK); }
  void wait_for_bytes() { fcntl(pipe_.read_end(), F_SETFL, 0); }
  Pipe pipe_;
  FrameReader reader_;
};

using Texts = std::vector<std::string>;

TEST_F(Frames, ComeBackAsTheyWereWritten) {
  wait_for_bytes();
  const std::string large(5 << 20, 'x');  // more than a pipe holds
  const Texts sent = {"one", "", std::string("\0\xff", 2), large, "last"};
  std::thread writer([&] {
    for (const std::string& text : sent) EXPECT_TRUE(write_frame(pipe_.write_end(), text));
    pipe_.close_write_end();
  });
  std::string bytes;
  for (const std::string& text : sent) {
    EXPECT_TRUE(read_frame(pipe_.read_end(), bytes));
    EXPECT_TRUE(bytes == text) << bytes.size() << " bytes";
  }
  EXPECT_FALSE(read_frame(pipe_.read_end(), bytes)) << "the stream has ended";
  writer.join();
}

TEST_F(Frames, ThatAreCutOffAreNone) {
  for (const std::size_t size : {std::size_t{3}, sizeof(std::size_t), sizeof(std::size_t) + 2}) {
    Pipe pipe;
    put(pipe, frame("four").substr(0, size));
    pipe.close_write_end();
    std::string bytes;
    EXPECT_FALSE(read_frame(pipe.read_end(), bytes)) << size;
  }
}

TEST_F(Frames, AreReadInWhateverPiecesTheyCome) {
  const std::string stream = frame("one") + frame("") + frame("three");
  Texts got;
  for (const char byte : stream) {
    put(pipe_, std::string(1, byte));
    EXPECT_TRUE(reader_.read_from(pipe_.read_end()));
    for (const std::string& text : all_of(reader_)) got.push_back(text);
  }
  EXPECT_EQ(got, (Texts{"one", "", "three"}));
  put(pipe_, stream + frame("four").substr(0, 9));
  EXPECT_TRUE(reader_.read_from(pipe_.read_end()));
  EXPECT_EQ(all_of(reader_), (Texts{"one", "", "three"}));
  put(pipe_, frame("four").substr(9) + frame("five"));
  EXPECT_TRUE(reader_.read_from(pipe_.read_end()));
  EXPECT_EQ(all_of(reader_), (Texts{"four", "five"})) << "the rest of one";
}

TEST_F(Frames, LargeOnesAreReadAsTheyCome) {
  const Texts sent = {std::string(3 << 20, 'x'), std::string(65536 - sizeof(std::size_t), 'y')};
  std::thread writer([&] {
    for (const std::string& text : sent) write_frame(pipe_.write_end(), text);
    pipe_.close_write_end();
  });
  Texts got;
  while (reader_.read_from(pipe_.read_end())) {
    for (std::string& text : all_of(reader_)) got.push_back(std::move(text));
  }
  for (std::string& text : all_of(reader_)) got.push_back(std::move(text));
  writer.join();
  EXPECT_TRUE(got == sent) << got.size() << " frames";
}

TEST_F(Frames, WithoutBytesThereIsNothingAndNobodyWaits) {
  EXPECT_TRUE(reader_.read_from(pipe_.read_end()));
  EXPECT_EQ(reader_.next(), std::nullopt);
}

// The last message of a process that has ended since.
TEST_F(Frames, AreStillThereAtTheEndOfTheStream) {
  put(pipe_, frame("farewell"));
  pipe_.close_write_end();
  while (reader_.read_from(pipe_.read_end())) continue;
  EXPECT_EQ(all_of(reader_), (Texts{"farewell"}));
}

TEST_F(Frames, AWriterWithoutAReaderLives) {
  Child writer([](const Child::Say&) {
    Pipe pipe;
    pipe.close_read_end();
    if (write_frame(pipe.write_end(), "anybody?")) throw std::runtime_error("it was written");
    sigset_t blocked, pending;
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    if (sigismember(&pending, SIGPIPE) != 0) throw std::runtime_error("the signal waits");
    if (sigismember(&blocked, SIGPIPE) != 0) throw std::runtime_error("the signal is blocked");
  });
  EXPECT_EQ(writer.wait(), 0);
}

}  // namespace
}  // namespace helixcheck
