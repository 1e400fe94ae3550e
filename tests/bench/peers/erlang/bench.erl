%% SPDX-License-Identifier: MIT
%% Micro-benchmarks of Erlang processes.  See ../README.md for what each one does.
%% usage: erl ... -s bench main -extra NAME key=value ...
-module(bench).
-compile([inline]).
-behaviour(gen_server).
-export([main/0, echo_main/0]).
-export([init/1, handle_call/3, handle_cast/2]).
-export([sup_init/1, start_worker/1]).

main() ->
    [Name | Rest] = init:get_plain_arguments(),
    A = maps:from_list([kv(X) || X <- Rest]),
    Fun = list_to_existing_atom(Name),
    run(Fun, A),
    halt(0).

kv(S) ->
    [K, V] = string:split(S, "="),
    {K, try list_to_integer(V) catch _:_ -> V end}.

p(K, A, D) -> maps:get(K, A, D).
now_ns() -> erlang:monotonic_time(nanosecond).
queue_opts(A) ->
    case p("mqd", A, "on_heap") of
        "off_heap" -> [{message_queue_data, off_heap}];
        _ -> []
    end.

rate(Name, N, T0, Unit) ->
    Dt = now_ns() - T0,
    io:format("~s ~.1f ~s~n", [Name, N * 1.0e9 / Dt, Unit]).

run(ping_pong, A) -> ping_pong(A);
run(counting, A) -> counting(A);
run(thread_ring, A) -> thread_ring(A);
run(fork_join_create, A) -> fork_join_create(A);
run(fork_join_throughput, A) -> fork_join_throughput(A);
run(big, A) -> big(A);
run(mailbox_n_to_1, A) -> mailbox_n_to_1(A);
run(idle_memory, A) -> idle_memory(A);
run(request_latency, A) -> request_latency(A);
run(supervised_restart, A) -> supervised_restart(A);
run(dist, A) -> dist(A).

%% 1 ------------------------------------------------------------------
ping_pong(A) ->
    N = p("n", A, 1000000), Me = self(),
    Pong = spawn(fun pong/0),
    T0 = now_ns(),
    spawn(fun() -> ping(N, Pong), Me ! done end),
    receive done -> ok end,
    rate("ping_pong", N, T0, "round_trips/s").

ping(0, _) -> ok;
ping(N, P) ->
    P ! {ping, self(), N},
    receive {pong, N} -> ping(N - 1, P) end.

pong() -> receive {ping, From, N} -> From ! {pong, N}, pong() end.

%% 2 ------------------------------------------------------------------
counting(A) ->
    N = p("n", A, 10000000), Me = self(),
    C = spawn_opt(fun() -> counter(0) end, queue_opts(A)),
    T0 = now_ns(),
    spawn(fun() -> incs(N, C), C ! {get, Me} end),
    receive {total, N} -> ok end,
    rate("counting", N, T0, "msgs/s").

incs(0, _) -> ok;
incs(N, C) -> C ! {inc, 1}, incs(N - 1, C).

counter(T) ->
    receive
        {inc, K} -> counter(T + K);
        {get, From} -> From ! {total, T}
    end.

%% 3 ------------------------------------------------------------------
thread_ring(A) ->
    Size = p("actors", A, 503), Hops = p("n", A, 5000000), Me = self(),
    First = spawn(fun() -> receive {next, P} -> ring(P, Me) end end),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> ring(Next, Me) end) end,
                       First, lists:seq(2, Size)),
    First ! {next, Last},
    T0 = now_ns(),
    First ! Hops,
    receive done -> ok end,
    rate("thread_ring", Hops, T0, "hops/s").

ring(Next, Main) ->
    receive
        0 -> Main ! done;
        K -> Next ! K - 1, ring(Next, Main)
    end.

%% 4 ------------------------------------------------------------------
fork_join_create(A) ->
    N = p("n", A, 1000000), Me = self(),
    Left = atomics:new(1, []),
    atomics:put(Left, 1, N),
    T0 = now_ns(),
    spawn(fun() -> create(N, Left, Me) end),
    receive done -> ok end,
    rate("fork_join_create", N, T0, "spawns/s").

create(0, _, _) -> ok;
create(N, Left, Main) ->
    P = spawn(fun() -> once(Left, Main) end),
    P ! N,
    create(N - 1, Left, Main).

once(Left, Main) ->
    receive _ -> last(Left, Main) end.

last(Left, Main) ->
    case atomics:sub_get(Left, 1, 1) of
        0 -> Main ! done;
        _ -> ok
    end.

%% 5 ------------------------------------------------------------------
fork_join_throughput(A) ->
    K = p("actors", A, 60), N = p("n", A, 100000), Me = self(),
    Left = atomics:new(1, []),
    atomics:put(Left, 1, K),
    Opts = queue_opts(A),
    Ps = [spawn_opt(fun() -> absorb(N), last(Left, Me) end, Opts)
          || _ <- lists:seq(1, K)],
    T0 = now_ns(),
    spawn(fun() -> rounds(N, Ps) end),
    receive done -> ok end,
    rate("fork_join_throughput", K * N, T0, "msgs/s").

rounds(0, _) -> ok;
rounds(N, Ps) -> one_round(N, Ps), rounds(N - 1, Ps).
one_round(_, []) -> ok;
one_round(N, [P | T]) -> P ! N, one_round(N, T).

absorb(0) -> ok;
absorb(N) -> receive _ -> absorb(N - 1) end.

%% 6 ------------------------------------------------------------------
big(A) ->
    K = p("actors", A, 100), N = p("n", A, 20000), Me = self(),
    Ps = [spawn(fun() -> big_wait(I, N, Me) end) || I <- lists:seq(1, K)],
    T = list_to_tuple(Ps),
    [P ! {all, T} || P <- Ps],
    [receive {ready, P} -> ok end || P <- Ps],
    T0 = now_ns(),
    [P ! go || P <- Ps],
    [receive {done, P} -> ok end || P <- Ps],
    rate("big", 2 * K * N, T0, "msgs/s").

big_wait(I, N, Main) ->
    receive {all, T} -> ok end,
    Main ! {ready, self()},
    receive go -> ok end,
    S = big_ping(I * 7919 + 1, I, T),
    big_loop(N, S, I, T, Main).

%% a ping to a random actor other than oneself
big_ping(S0, I, T) ->
    S = (S0 * 1103515245 + 12345) band 16#7fffffff,
    K = tuple_size(T),
    J0 = 1 + (S bsr 8) rem (K - 1),
    J = if J0 >= I -> J0 + 1; true -> J0 end,
    element(J, T) ! {ping, self()},
    S.

big_loop(N, S, I, T, Main) ->
    receive
        {ping, From} ->
            From ! {pong, self()},
            big_loop(N, S, I, T, Main);
        {pong, _} when N =:= 1 ->
            Main ! {done, self()},
            big_loop(0, S, I, T, Main);
        {pong, _} ->
            big_loop(N - 1, big_ping(S, I, T), I, T, Main)
    end.

%% 7 ------------------------------------------------------------------
mailbox_n_to_1(A) ->
    K = p("actors", A, 100), N = p("n", A, 100000), Me = self(),
    R = spawn_opt(fun() -> absorb(K * N), Me ! done end, queue_opts(A)),
    Ss = [spawn(fun() -> receive go -> sends(N, R) end end) || _ <- lists:seq(1, K)],
    T0 = now_ns(),
    [S ! go || S <- Ss],
    receive done -> ok end,
    rate("mailbox_n_to_1", K * N, T0, "msgs/s").

sends(0, _) -> ok;
sends(N, R) -> R ! N, sends(N - 1, R).

%% 8 ------------------------------------------------------------------
idle_memory(A) ->
    N = p("n", A, 1000000),
    Up = counters:new(1, [atomics]),
    R0 = rss(),
    F = case p("hibernate", A, 0) of
            0 -> fun() -> counters:add(Up, 1, 1), idle() end;
            _ -> fun() -> counters:add(Up, 1, 1), erlang:hibernate(erlang, apply, [fun idle/0, []]) end
        end,
    Ps = spawn_many(N, F, []),
    wait_count(Up, N),
    timer:sleep(200),
    R1 = rss(),
    io:format("idle_memory ~.1f bytes/actor~n", [(R1 - R0) / N]),
    erlang:put(keep, Ps).

spawn_many(0, _, L) -> L;
spawn_many(N, F, L) -> spawn_many(N - 1, F, [spawn(F) | L]).

idle() -> receive stop -> ok end.

wait_count(Up, N) ->
    case counters:get(Up, 1) of
        N -> ok;
        _ -> timer:sleep(10), wait_count(Up, N)
    end.

rss() ->
    {ok, B} = file:read_file("/proc/self/status"),
    {match, [S]} = re:run(B, "VmRSS:\\s+(\\d+)", [{capture, [1], list}]),
    list_to_integer(S) * 1024.

%% 9 ------------------------------------------------------------------
%% mode=sched: placed by the scheduler; mode=apart: bound to schedulers 1 and 2
%% call=bare: send and receive with a fresh reference; call=gen: gen_server:call
request_latency(A) ->
    N = p("n", A, 200000), Me = self(),
    {O1, O2} = case p("mode", A, "sched") of
                   "apart" -> {[{scheduler, 1}], [{scheduler, 2}]};
                   _ -> {[], []}
               end,
    Call = case p("call", A, "gen") of
               "gen" ->
                   {ok, S} = gen_server:start(?MODULE, echo, [{spawn_opt, O2}]),
                   fun() -> ok = gen_server:call(S, get) end;
               "bare" ->
                   S = spawn_opt(fun bare/0, O2),
                   fun() -> R = make_ref(), S ! {self(), R}, receive {R, ok} -> ok end end
           end,
    spawn_opt(fun() -> lat(1000, Call, []), Me ! {lat, lat(N, Call, [])} end, O1),
    receive {lat, L} -> pct("request_latency", L) end.

bare() -> receive {From, R} -> From ! {R, ok}, bare() end.

lat(0, _, L) -> L;
lat(N, C, L) ->
    T0 = now_ns(),
    C(),
    T1 = now_ns(),
    lat(N - 1, C, [T1 - T0 | L]).

pct(Name, L0) ->
    L = list_to_tuple(lists:sort(L0)), N = tuple_size(L),
    [io:format("~s.~s ~b ns~n", [Name, Q, element(min(N, 1 + trunc(N * F)), L)])
     || {Q, F} <- [{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}]].

init(echo) -> {ok, echo};
init({worker, Driver}) -> Driver ! {up, self()}, {ok, worker}.
handle_call(get, _, S) -> {reply, ok, S}.
handle_cast(crash, _) -> exit(crash).

%% 10 -----------------------------------------------------------------
supervised_restart(A) ->
    N = p("n", A, 10000),
    case p("log", A, 0) of 0 -> logger:set_primary_config(level, none); _ -> ok end,
    {ok, _} = supervisor_bridge_start(self()),
    receive {up, _} -> ok end,
    T0 = now_ns(),
    L = crash(N, []),
    rate("supervised_restart", N, T0, "restarts/s"),
    pct("supervised_restart", L).

crash(0, L) -> L;
crash(N, L) ->
    T = now_ns(),
    gen_server:cast(worker, crash),
    P = receive {up, Up} -> Up end,
    P = whereis(worker),
    crash(N - 1, [now_ns() - T | L]).

supervisor_bridge_start(Driver) ->
    supervisor:start_link({local, sup}, bench_sup, Driver).

sup_init(Driver) ->
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1},
          [#{id => w, start => {?MODULE, start_worker, [Driver]}, restart => permanent}]}}.

start_worker(Driver) -> gen_server:start_link({local, worker}, ?MODULE, {worker, Driver}, []).

%% 11, 12 -------------------------------------------------------------
%% the other node runs echo_main/0; this one starts it and stops it
dist(A) ->
    N = p("n", A, 100000), W = p("window", A, 1), Size = p("size", A, 64),
    S = p("schedulers", A, 1),
    Other = 'bench_b@127.0.0.1',
    Exe = os:find_executable("erl"),
    Port = open_port({spawn_executable, Exe},
              [{args, ["-noshell", "-noinput", "-start_epmd", "false",
                       "-name", atom_to_list(Other),
                       "-setcookie", atom_to_list(erlang:get_cookie()),
                       "-kernel", "inet_dist_use_interface", "{127,0,0,1}",
                       "+S", integer_to_list(S),
                       "-pa", filename:dirname(code:which(?MODULE)),
                       "-s", "bench", "echo_main"]}, exit_status]),
    wait_node(Other, 200),
    Pid = wait_echo(Other, 200),
    Bin = binary:copy(<<"x">>, Size),
    window(1000, W, Pid, Bin, fun(_, L) -> L end),
    T0 = now_ns(),
    L = window(N, W, Pid, Bin, fun(D, L) -> [D | L] end),
    rate("dist", N, T0, "round_trips/s"),
    pct("dist", L),
    erpc:cast(Other, erlang, halt, [0]),
    receive {Port, {exit_status, _}} -> ok after 5000 -> ok end.

wait_node(_, 0) -> exit(no_node);
wait_node(O, K) ->
    case net_kernel:connect_node(O) of
        true -> ok;
        _ -> timer:sleep(25), wait_node(O, K - 1)
    end.

wait_echo(_, 0) -> exit(no_echo);
wait_echo(O, K) ->
    case erpc:call(O, erlang, whereis, [echo]) of
        P when is_pid(P) -> P;
        _ -> timer:sleep(25), wait_echo(O, K - 1)
    end.

window(N, W, P, Bin, F) ->
    K = min(N, W),
    [P ! {req, self(), now_ns(), Bin} || _ <- lists:seq(1, K)],
    window(N, N - K, P, Bin, F, []).

window(0, _, _, _, _, L) -> L;
window(N, Unsent, P, Bin, F, L) ->
    receive
        {rep, T, _} ->
            L1 = F(now_ns() - T, L),
            case Unsent of
                0 -> window(N - 1, 0, P, Bin, F, L1);
                _ -> P ! {req, self(), now_ns(), Bin},
                     window(N - 1, Unsent - 1, P, Bin, F, L1)
            end
    end.

echo_main() -> spawn(fun() -> register(echo, self()), echo() end).
echo() -> receive {req, From, T, Bin} -> From ! {rep, T, Bin}, echo() end.
