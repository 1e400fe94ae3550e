// SPDX-License-Identifier: MIT
// Micro-benchmarks of CAF actors; see ../README.md for what each one does.
// usage: bench NAME threads=N key=value ...
// One source for CAF 0.17 (the default) and for CAF 1.x (-DCAF_NEW).
#include "caf/all.hpp"
#ifdef CAF_NEW
#  include "caf/actor_registry.hpp"
#  include "caf/event_based_actor.hpp"
#  include "caf/scoped_actor.hpp"
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

using i64 = int64_t;

#ifdef CAF_NEW
#  define ATOM(a) CAF_ADD_ATOM(peerbench, peer, a)
#else
#  define ATOM(a) CAF_ADD_ATOM(peerbench, peer, a, #a)
#endif

CAF_BEGIN_TYPE_ID_BLOCK(peerbench, caf::first_custom_type_id)
  ATOM(m_ping)
  ATOM(m_pong)
  ATOM(m_inc)
  ATOM(m_total)
  ATOM(m_go)
  ATOM(m_crash)
  ATOM(m_up)
CAF_END_TYPE_ID_BLOCK(peerbench)

using namespace peer;
using caf::actor;
using caf::behavior;
using caf::event_based_actor;

#ifdef CAF_NEW
#  define CONFIG "caf."
#  define WORKER "worker"
#  define TELL(self, to, ...) (self)->mail(__VA_ARGS__).send(to)
#  define ANON(to, ...) caf::anon_mail(__VA_ARGS__).send(to)
#  define ASK(self, to, ...) (self)->mail(__VA_ARGS__).request(to, caf::infinite)
#else
#  define CONFIG ""
#  define WORKER caf::atom("worker")
#  define TELL(self, to, ...) (self)->send(to, __VA_ARGS__)
#  define ANON(to, ...) caf::anon_send(to, __VA_ARGS__)
#  define ASK(self, to, ...) (self)->request(to, caf::infinite, __VA_ARGS__)
#endif

static std::map<std::string, std::string> args;
static i64 arg(const char* k, i64 d) {
  auto i = args.find(k);
  return i == args.end() ? d : std::atoll(i->second.c_str());
}
static i64 now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
           std::chrono::steady_clock::now().time_since_epoch()).count();
}

static std::promise<void> finished;
static std::atomic<i64> left{0};
static void one_less() {
  if (left.fetch_sub(1) == 1)
    finished.set_value();
}
static void rate(const char* name, i64 n, i64 t0, const char* unit) {
  finished.get_future().wait();
  std::printf("%s %.1f %s\n", name, n * 1e9 / (now() - t0), unit);
}
static void pct(const char* name, std::vector<i64>& v) {
  std::sort(v.begin(), v.end());
  const struct { const char* n; double f; } q[] = {{"p50", .5}, {"p99", .99}, {"p99.9", .999}};
  for (auto& x : q)
    std::printf("%s.%s %lld ns\n", name, x.n, (long long) v[size_t(v.size() * x.f)]);
}

// 1 ---------------------------------------------------------------------
static behavior pong(event_based_actor* self) {
  return {[self](m_ping, const actor& from, i64 n) {
    TELL(self, from, m_pong_v, n);
    if (n == 1)
      self->quit();
  }};
}
static behavior ping(event_based_actor* self, actor to, i64 n) {
  TELL(self, to, m_ping_v, caf::actor_cast<actor>(self), n);
  return {[self, to](m_pong, i64 k) {
    if (k > 1) {
      TELL(self, to, m_ping_v, caf::actor_cast<actor>(self), k - 1);
    } else {
      one_less();
      self->quit();
    }
  }};
}
static void ping_pong(caf::actor_system& sys) {
  i64 n = arg("n", 1000000);
  left = 1;
  auto p = sys.spawn(pong);
  auto t0 = now();
  sys.spawn(ping, p, n);
  rate("ping_pong", n, t0, "round_trips/s");
}

// 2 ---------------------------------------------------------------------
static behavior counter(event_based_actor* self) {
  auto total = std::make_shared<i64>(0);
  return {[t = total.get(), total](m_inc, i64 k) { *t += k; },
          [self, total](m_total, const actor& from) {
            TELL(self, from, m_total_v, *total);
            self->quit();
          }};
}
static behavior producer(event_based_actor* self, actor to, i64 n) {
  for (i64 i = 0; i < n; ++i)
    TELL(self, to, m_inc_v, i64{1});
  TELL(self, to, m_total_v, caf::actor_cast<actor>(self));
  return {[self, n](m_total, i64 k) {
    if (k != n)
      std::abort();
    one_less();
    self->quit();
  }};
}
static void counting(caf::actor_system& sys) {
  i64 n = arg("n", 10000000);
  left = 1;
  auto c = sys.spawn(counter);
  auto t0 = now();
  sys.spawn(producer, c, n);
  rate("counting", n, t0, "msgs/s");
}

// 3 ---------------------------------------------------------------------
static std::vector<actor> nodes; // written before the actors that read it start
static behavior ring(event_based_actor* self, size_t next) {
  return {[self, next](i64 k) {
            if (k > 0)
              TELL(self, nodes[next], k - 1);
            else
              one_less();
          },
          [self](m_go) { self->quit(); }};
}
static void thread_ring(caf::actor_system& sys) {
  size_t size = arg("actors", 503);
  i64 n = arg("n", 5000000);
  left = 1;
  for (size_t i = 0; i < size; ++i)
    nodes.push_back(sys.spawn(ring, (i + 1) % size));
  auto t0 = now();
  ANON(nodes[0], n);
  rate("thread_ring", n, t0, "hops/s");
  for (auto& a : nodes)
    ANON(a, m_go_v);
}

// 4 ---------------------------------------------------------------------
static behavior once(event_based_actor* self) {
  return {[self](i64) {
    one_less();
    self->quit();
  }};
}
static void fork_join_create(caf::actor_system& sys) {
  i64 n = arg("n", 1000000);
  left = n;
  auto t0 = now();
  sys.spawn([n](event_based_actor* self) {
    for (i64 i = 0; i < n; ++i) {
      auto a = self->spawn(once);
      TELL(self, a, i);
    }
  });
  rate("fork_join_create", n, t0, "spawns/s");
}

// 5, 7 ------------------------------------------------------------------
static behavior absorb(event_based_actor* self, i64 n) {
  auto k = std::make_shared<i64>(n);
  return {[self, p = k.get(), k](i64) {
    if (--*p == 0) {
      one_less();
      self->quit();
    }
  }};
}
static void fork_join_throughput(caf::actor_system& sys) {
  i64 k = arg("actors", 60), n = arg("n", 100000);
  left = k;
  for (i64 i = 0; i < k; ++i)
    nodes.push_back(sys.spawn(absorb, n));
  auto t0 = now();
  sys.spawn([n](event_based_actor* self) {
    for (i64 i = 0; i < n; ++i)
      for (auto& a : nodes)
        TELL(self, a, i);
  });
  rate("fork_join_throughput", k * n, t0, "msgs/s");
}

static behavior sender(event_based_actor* self, actor to, i64 n) {
  return {[self, to, n](m_go) {
    for (i64 i = 0; i < n; ++i)
      TELL(self, to, i);
    self->quit();
  }};
}
static void mailbox_n_to_1(caf::actor_system& sys) {
  i64 k = arg("actors", 100), n = arg("n", 100000);
  left = 1;
  auto r = sys.spawn(absorb, k * n);
  for (i64 i = 0; i < k; ++i)
    nodes.push_back(sys.spawn(sender, r, n));
  auto t0 = now();
  for (auto& a : nodes)
    ANON(a, m_go_v);
  rate("mailbox_n_to_1", k * n, t0, "msgs/s");
}

// 6 ---------------------------------------------------------------------
struct big_state {
  uint32_t s;
  i64 n;
};
static void big_ping(event_based_actor* self, big_state& st, i64 me) {
  st.s = (st.s * 1103515245u + 12345u) & 0x7fffffffu;
  i64 j = (st.s >> 8) % (nodes.size() - 1);
  if (j >= me)
    ++j;
  TELL(self, nodes[j], m_ping_v, me);
}
static behavior big_actor(event_based_actor* self, i64 me, i64 n) {
  auto st = std::make_shared<big_state>(big_state{uint32_t(me * 7919 + 1), n});
  return {[self, st, me](m_go) { big_ping(self, *st, me); },
          [self, me](m_ping, i64 from) { TELL(self, nodes[from], m_pong_v, me); },
          [self, st, me](m_pong, i64) {
            if (--st->n == 0)
              one_less();
            else
              big_ping(self, *st, me);
          },
          [self](m_crash) { self->quit(); }};
}
static void big(caf::actor_system& sys) {
  i64 k = arg("actors", 100), n = arg("n", 20000);
  left = k;
  for (i64 i = 0; i < k; ++i)
    nodes.push_back(sys.spawn(big_actor, i, n));
  auto t0 = now();
  for (auto& a : nodes)
    ANON(a, m_go_v);
  rate("big", 2 * k * n, t0, "msgs/s");
  for (auto& a : nodes)
    ANON(a, m_crash_v);
}

// 8 ---------------------------------------------------------------------
static double rss() {
  FILE* f = std::fopen("/proc/self/status", "r");
  char line[256];
  double kb = 0;
  while (std::fgets(line, sizeof line, f))
    if (std::strncmp(line, "VmRSS:", 6) == 0)
      kb = std::atof(line + 6);
  std::fclose(f);
  return kb * 1024;
}
static behavior idle(event_based_actor* self) {
  one_less();
  return {[self](m_go) { self->quit(); }};
}
static void idle_memory(caf::actor_system& sys) {
  i64 n = arg("n", 1000000);
  left = n;
  nodes.reserve(n);
  auto r0 = rss();
  for (i64 i = 0; i < n; ++i)
    nodes.push_back(sys.spawn(idle));
  finished.get_future().wait();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  std::printf("idle_memory %.1f bytes/actor\n", (rss() - r0) / n);
  std::fflush(stdout);
  std::_Exit(0); // ending them is not what is measured
}

// 9 ---------------------------------------------------------------------
static behavior echo(event_based_actor* self) {
  return {[](i64 k) { return k; }, [self](m_go) { self->quit(); }};
}
static std::vector<i64> lat;
static void ask(event_based_actor* self, actor to, i64 n) {
  auto t0 = now();
  ASK(self, to, n).then([self, to, n, t0](i64) {
    lat.push_back(now() - t0);
    if (n > 1)
      ask(self, to, n - 1);
    else
      one_less();
  });
}
static void request_latency(caf::actor_system& sys) {
  i64 n = arg("n", 200000);
  left = 1;
  lat.reserve(n + 1000);
  auto e = sys.spawn(echo);
  auto first = [](event_based_actor* self, actor to, i64 k) { ask(self, to, k); };
  if (args["mode"] == "apart") // the asking actor has a thread of its own
    sys.spawn<caf::detached>(first, e, n + 1000);
  else
    sys.spawn(first, e, n + 1000);
  finished.get_future().wait();
  lat.erase(lat.begin(), lat.begin() + 1000);
  pct("request_latency", lat);
  ANON(e, m_go_v);
}

// 10 --------------------------------------------------------------------
static actor driver;
static behavior worker(event_based_actor* self) {
  self->system().registry().erase(WORKER); // put() keeps an entry that is there
  self->system().registry().put(WORKER, caf::actor_cast<caf::strong_actor_ptr>(self));
  TELL(self, driver, m_up_v);
  return {[self](m_crash) { self->quit(make_error(caf::sec::runtime_error)); }};
}
static void start_worker(event_based_actor* self) {
  auto w = self->spawn(worker);
#ifdef CAF_NEW
  self->monitor(w, [self](const caf::error& why) {
    if (why == caf::sec::runtime_error)
      start_worker(self);
  });
#else
  self->monitor(w);
#endif
}
static behavior supervisor(event_based_actor* self) {
#ifndef CAF_NEW
  self->set_down_handler([self](caf::down_msg& d) {
    if (d.reason == caf::sec::runtime_error)
      start_worker(self);
  });
#endif
  start_worker(self);
  return {[self](m_go) { self->quit(); }};
}
static behavior crasher(event_based_actor* self, i64 n) {
  driver = caf::actor_cast<actor>(self);
  auto sup = self->spawn(supervisor);
  auto t = std::make_shared<i64>(0);
  return {[self, t, n, sup](m_up) {
    if (*t)
      lat.push_back(now() - *t);
    auto w = caf::actor_cast<actor>(self->system().registry().get(WORKER));
    if (i64(lat.size()) == n) {
      TELL(self, sup, m_go_v);
      self->quit();
      one_less();
      return;
    }
    *t = now();
    TELL(self, w, m_crash_v);
  }};
}
static void supervised_restart(caf::actor_system& sys) {
  i64 n = arg("n", 10000);
  left = 1;
  lat.reserve(n);
  auto t0 = now();
  sys.spawn(crasher, n);
  rate("supervised_restart", n, t0, "restarts/s");
  pct("supervised_restart", lat);
  std::fflush(stdout);
  std::_Exit(0);
}

int main(int argc, char** argv) {
  if (argc < 2)
    return 2;
  for (int i = 2; i < argc; ++i) {
    std::string s = argv[i];
    auto eq = s.find('=');
    args[s.substr(0, eq)] = s.substr(eq + 1);
  }
#ifdef CAF_NEW
  caf::init_global_meta_objects<caf::id_block::peerbench>();
  caf::core::init_global_meta_objects();
#endif
  caf::actor_system_config cfg;
  cfg.set(CONFIG "scheduler.max-threads", uint64_t(arg("threads", 2)));
  if (args.count("policy"))
    cfg.set(CONFIG "scheduler.policy", args["policy"]);
  const struct { const char* n; void (*f)(caf::actor_system&); } all[] = {
    {"ping_pong", ping_pong}, {"counting", counting}, {"thread_ring", thread_ring},
    {"fork_join_create", fork_join_create}, {"fork_join_throughput", fork_join_throughput},
    {"big", big}, {"mailbox_n_to_1", mailbox_n_to_1}, {"idle_memory", idle_memory},
    {"request_latency", request_latency}, {"supervised_restart", supervised_restart}};
  for (auto& b : all)
    if (std::strcmp(argv[1], b.n) == 0) {
      {
        caf::actor_system sys{cfg};
        b.f(sys);
        nodes.clear();
        std::fflush(stdout);
        std::_Exit(0); // the teardown is not what is measured
      }
      return 0;
    }
  return 2;
}
