// Peer of engine.bench.ts: the hold model on std::priority_queue with the engine's order (time, priority, sequence).
// Usage: hold PENDING EVENTS < GAPS, where GAPS is 16384 doubles: gaps in whole microseconds. Prints seconds for EVENTS.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <queue>
#include <vector>

struct Event {
  double time;
  int priority;
  std::uint64_t sequence;
  std::int64_t payload;
};

struct Later {
  bool operator()(const Event& a, const Event& b) const {
    if (a.time != b.time) return a.time > b.time;
    if (a.priority != b.priority) return a.priority > b.priority;
    return a.sequence > b.sequence;
  }
};

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const long pending = std::atol(argv[1]);
  const long events = std::atol(argv[2]);
  std::vector<double> gaps(16384);
  if (std::fread(gaps.data(), sizeof(double), gaps.size(), stdin) != gaps.size()) return 2;
  std::priority_queue<Event, std::vector<Event>, Later> queue;
  std::uint64_t sequence = 0;
  std::size_t gap = 0;
  for (long i = 0; i < pending; i++) queue.push({gaps[gap++ & 16383], 10, sequence++, i});
  std::int64_t checksum = 0;
  const auto run = [&](long count) {
    for (long i = 0; i < count; i++) {
      const Event event = queue.top();
      queue.pop();
      checksum += event.payload;
      queue.push({event.time + gaps[gap++ & 16383], 10, sequence++, event.payload});
    }
  };
  run(2 * pending + 200000);
  const auto from = std::chrono::steady_clock::now();
  run(events);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - from;
  std::printf("%.9f %lld\n", elapsed.count(), static_cast<long long>(checksum));
}
