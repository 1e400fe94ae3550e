%% SPDX-License-Identifier: MIT
%% Runs scenarios (README.md) under Erlang/OTP's own supervisor and prints their traces, one JSON line each: record.py calls it.
%% One scheduler thread (+S 1): who ends has told all its monitors before anybody else runs, so the ledger's events are in causal order.
-module(record).
-export([main/1, init/1, start_worker/2, start_instance/4, start_supervisor/2, log/2]).

main(File) ->
    {ok, Scenarios} = file:consult(File),
    logger:remove_handler(default),
    ok = logger:add_handler(record, ?MODULE, #{level => error}),
    lists:foreach(fun run/1, Scenarios),
    halt(0).

%% ---- the ledger: events in order, attempts and incarnations by path, starts that are held ----

ledger() ->
    register(ledger, self()),
    ledger(#{events => [], attempts => #{}, starts => #{}, pids => #{}, alive => #{}, gates => #{}, sups => #{}, moves => 0}).

ledger(State) ->
    receive
        {From, Ref, Ask} ->
            case answer(Ask, From, Ref, State) of
                {reply, Value, Next} -> From ! {Ref, Value}, ledger(Next);
                {noreply, Next} -> ledger(Next)
            end;
        {'DOWN', _, process, Pid, Reason} ->
            #{pids := Pids, alive := Alive} = State,
            {Path, N} = maps:get(Pid, Pids),
            Left = case Alive of #{Path := Pid} -> maps:remove(Path, Alive); _ -> Alive end,
            ledger(add([exit, Path, N, word(Reason)], State#{alive := Left}))
    end.

add(Event, #{events := Events, moves := Moves} = State) -> State#{events := [Event | Events], moves := Moves + 1}.

answer({event, Event}, _, _, State) -> {reply, ok, add(Event, State)};
answer({attempt, Path}, _, _, #{attempts := Attempts} = State) ->
    N = maps:get(Path, Attempts, 0) + 1,
    {reply, N, State#{attempts := Attempts#{Path => N}}};
answer({started, Path, Pid}, _, _, #{starts := Starts, pids := Pids, alive := Alive} = State) ->
    N = maps:get(Path, Starts, 0) + 1,
    monitor(process, Pid),
    {reply, ok, add([start, Path, N], State#{starts := Starts#{Path => N}, pids := Pids#{Pid => {Path, N}}, alive := Alive#{Path => Pid}})};
answer({supervisor, Path, Pid}, _, _, #{sups := Sups} = State) -> {reply, ok, State#{sups := Sups#{Pid => Path}}};
answer({gate, Path}, From, Ref, #{gates := Gates} = State) ->
    {noreply, add([starting, Path], State#{gates := Gates#{Path => {From, Ref}}})};
answer({finish, Path, Outcome}, _, _, #{gates := Gates} = State) ->
    case maps:take(Path, Gates) of
        {{Who, Ref}, Left} -> Who ! {Ref, Outcome}, {reply, ok, State#{gates := Left}};
        error -> {reply, none, State}
    end;
answer(take, _, _, #{events := Events} = State) -> {reply, lists:reverse(Events), State#{events := []}};
answer(state, _, _, State) -> {reply, State, State}.

ask(Ask) ->
    Ref = make_ref(),
    ledger ! {self(), Ref, Ask},
    receive {Ref, Value} -> Value end.

event(Event) -> ask({event, Event}).

%% ---- what supervisors start; in the supervisor's own process, as in OTP ----

start_worker(Path, Spec) ->
    Starts = maps:get(starts, Spec, []),
    N = ask({attempt, Path}),
    Outcome = case N =< length(Starts) of true -> lists:nth(N, Starts); false -> <<"ok">> end,
    finish(case Outcome of <<"hold">> -> ask({gate, Path}); _ -> Outcome end, Path, Spec).

start_instance(Sup, Spec, K, Starts) ->
    Own = case Starts of none -> Spec; _ -> Spec#{starts => Starts} end,
    start_worker(iolist_to_binary([Sup, $#, integer_to_list(K)]), Own).

finish(<<"fail">>, Path, _) -> event([start_failed, Path, <<"start_error">>]), {error, start_error};
finish(<<"ignore">>, Path, _) -> event([ignore, Path]), ignore;
finish(<<"ok">>, Path, Spec) ->
    OnShutdown = maps:get(on_shutdown, Spec, <<"obey">>),
    Pid = spawn_link(fun() -> process_flag(trap_exit, true), worker(OnShutdown) end),
    ask({started, Path, Pid}),
    {ok, Pid}.

worker(OnShutdown) ->
    receive
        {die, Reason} -> exit(Reason);
        {'EXIT', _, shutdown} when OnShutdown =:= <<"ignore">> -> worker(OnShutdown);
        {'EXIT', _, shutdown} when OnShutdown =:= <<"obey">> -> exit(shutdown);
        {'EXIT', _, shutdown} -> exit(reason(OnShutdown));
        {'EXIT', _, Reason} -> exit(Reason)
    end.

start_supervisor(Path, Spec) ->
    case supervisor:start_link(?MODULE, {Path, Spec}) of
        {ok, Pid} -> ask({started, Path, Pid}), {ok, Pid};
        {error, Reason} -> event([start_failed, Path, word(Reason)]), {error, Reason}
    end.

init({Path, Spec}) ->
    ask({supervisor, Path, self()}),
    Strategy = binary_to_atom(maps:get(strategy, Spec, <<"one_for_one">>)),
    Flags = #{strategy => Strategy, intensity => maps:get(intensity, Spec, 1), period => maps:get(period, Spec, 5),
              auto_shutdown => binary_to_atom(maps:get(auto_shutdown, Spec, <<"never">>))},
    {ok, {Flags, [row(Path, Strategy, Child) || Child <- maps:get(children, Spec)]}}.

row(Path, Strategy, #{id := Id} = Child) ->
    Own = iolist_to_binary([Path, $/, Id]),
    {Start, Type} = case {Strategy, maps:is_key(strategy, Child)} of
        {simple_one_for_one, false} -> {{?MODULE, start_instance, [Path, Child]}, worker};
        {_, true} -> {{?MODULE, start_supervisor, [Own, Child]}, supervisor};
        {_, false} -> {{?MODULE, start_worker, [Own, Child]}, worker}
    end,
    Row = #{id => Id, start => Start, type => Type},
    maps:merge(Row, maps:map(fun option/2, maps:with([restart, significant, shutdown], Child))).

option(restart, Value) -> binary_to_atom(Value);
option(shutdown, Value) when is_binary(Value) -> binary_to_atom(Value);
option(_, Value) -> Value.

%% ---- reports; called in the supervisor's process ----

log(#{msg := {report, #{label := {supervisor, _}, report := Report}}}, _) ->
    {Pid, ?MODULE} = proplists:get_value(supervisor, Report),
    Offender = proplists:get_value(offender, Report),
    #{sups := Sups} = ask(state),
    Event = [report, maps:get(Pid, Sups), proplists:get_value(errorContext, Report), proplists:get_value(id, Offender),
             word(proplists:get_value(reason, Report))],
    event(Event ++ [Count || {nb_children, Count} <- Offender]);
log(_, _) -> ok.

%% ---- words ----

reason(<<"shutdown:", Word/binary>>) -> {shutdown, binary_to_atom(Word)};
reason(Word) -> binary_to_atom(Word).

word({Reason, Child}) when is_tuple(Child), element(1, Child) =:= child -> word(Reason);
word({shutdown, {failed_to_start_child, Id, _}}) -> iolist_to_binary(["failed_to_start_child:", Id]);
word({failed_to_start_child, Id, _}) -> iolist_to_binary(["failed_to_start_child:", Id]);
word({shutdown, Word}) -> iolist_to_binary(["shutdown:", atom_to_list(Word)]);
word(Word) when is_atom(Word) -> atom_to_binary(Word);
word({supervisor_data, _}) -> <<"refused">>;
word({start_spec, _}) -> <<"refused">>;
word(_) -> <<"error">>.

%% ---- a scenario ----

run(#{name := Name, tree := Tree, steps := Steps}) ->
    spawn_link(fun ledger/0),
    await(fun() -> whereis(ledger) =/= undefined end),
    Root = spawn(fun() -> process_flag(trap_exit, true), parent(Tree) end),
    quiet([]),
    First = ask(take),
    {Traces, _} = lists:mapfoldl(fun({Number, Step}, Context) ->
        Next = step(Number, Step, Context),
        quiet(maps:get(held, Next)),
        {ask(take), Next}
    end, #{held => [], counts => #{}, root => Root}, lists:zip(lists:seq(1, length(Steps)), Steps)),
    io:put_chars([json([{name, Name}, {trace, {list, [First | Traces]}}]), $\n]),
    clean(Root).

parent(Tree) ->
    Value = case start_supervisor(<<"root">>, Tree) of {ok, _} -> <<"ok">>; {error, Reason} -> failed(Reason) end,
    event([result, 0, Value]),
    parent().

parent() ->
    receive
        {stop, Number, Pid} ->
            Ref = monitor(process, Pid),
            exit(Pid, shutdown),
            receive {'DOWN', Ref, process, Pid, _} -> event([result, Number, <<"ok">>]) end,
            parent();
        {'EXIT', _, _} -> parent()
    end.

clean(Root) ->
    #{pids := Pids} = ask(state),
    Ledger = whereis(ledger),
    exit(Root, kill),
    [exit(Pid, kill) || Pid <- maps:keys(Pids)],
    unlink(Ledger),
    exit(Ledger, kill),
    await(fun() -> whereis(ledger) =:= undefined end).

await(Condition) ->
    case Condition() of true -> ok; false -> timer:sleep(1), await(Condition) end.

%% ---- quiet: nothing is under way ----

quiet(Held) -> quiet(Held, -1, 0).

%% While a supervisor is held, or waits in a start, quiet is that nothing happens for longer than any limit of a stop.
quiet(Held, Before, Same) ->
    #{moves := Moves, sups := Sups, gates := Gates, pids := Pids} = ask(state),
    Idle = lists:all(fun is_idle/1, maps:keys(Sups) ++ maps:keys(Pids)),
    Blocked = Held =/= [] orelse map_size(Gates) > 0,
    Enough = case Blocked of true -> 60; false -> 3 end,
    if
        Moves =/= Before -> timer:sleep(1), quiet(Held, Moves, 0);
        not Idle, not Blocked -> timer:sleep(1), quiet(Held, Moves, 0);
        Same < Enough -> timer:sleep(1), quiet(Held, Moves, Same + 1);
        true -> ok
    end.

is_idle(Pid) ->
    case process_info(Pid, [message_queue_len, status, current_function]) of
        undefined -> true;
        [{_, 0}, {_, waiting}, {_, {gen_server, loop, _}}] -> true;
        [{_, 0}, {_, waiting}, {_, {?MODULE, worker, _}}] -> true;
        _ -> false
    end.

%% ---- steps ----

step(Number, #{op := <<"crash">>, child := Path, reason := Reason}, Context) ->
    case {pid_of(Path), Reason} of
        {none, _} -> event([result, Number, <<"not_running">>]);
        {Pid, <<"kill">>} -> exit(Pid, kill);
        {Pid, _} -> Pid ! {die, reason(Reason)}
    end,
    Context;
step(Number, #{op := <<"stop">>}, #{root := Root} = Context) ->
    case pid_of(<<"root">>) of
        none -> event([result, Number, <<"not_running">>]);
        Pid -> Root ! {stop, Number, Pid}
    end,
    Context;
step(_, #{op := <<"wait">>, ms := Ms}, Context) -> timer:sleep(Ms), Context;
step(_, #{op := <<"finish_start">>, child := Path, outcome := Outcome}, Context) -> ask({finish, Path, Outcome}), Context;
step(_, #{op := <<"hold">>, sup := Path}, #{held := Held} = Context) ->
    case pid_of(Path) of
        none -> Context;
        Pid -> erlang:suspend_process(Pid), Context#{held := [{Path, Pid} | Held]}
    end;
step(_, #{op := <<"release">>, sup := Path}, #{held := Held} = Context) ->
    [catch erlang:resume_process(Pid) || {P, Pid} <- Held, P =:= Path],
    Context#{held := [Row || {P, _} = Row <- Held, P =/= Path]};
step(Number, #{op := Op, sup := Path} = Step, #{counts := Counts} = Context) ->
    IsInstance = Op =:= <<"start_child">> andalso not maps:is_key(child, Step),
    K = maps:get(Path, Counts, 0) + 1,
    case pid_of(Path) of
        none -> event([result, Number, <<"noproc">>]);
        Pid -> spawn(fun() -> event([result, Number, value(catch request(Op, Pid, Path, Step, K))]) end)
    end,
    case IsInstance of true -> Context#{counts := Counts#{Path => K}}; false -> Context end.

pid_of(Path) ->
    #{alive := Alive} = ask(state),
    maps:get(Path, Alive, none).

%% An id, or of an instance the pid that it had last.
id_of(Path, <<"#", _/binary>> = Id) ->
    #{pids := Pids} = ask(state),
    Own = <<Path/binary, Id/binary>>,
    case lists:reverse(lists:sort([{N, Pid} || {Pid, {P, N}} <- maps:to_list(Pids), P =:= Own])) of
        [{_, Pid} | _] -> Pid;
        [] -> Id
    end;
id_of(_, Id) -> Id.

request(<<"start_child">>, Pid, Path, #{child := Child}, _) -> supervisor:start_child(Pid, row(Path, one_for_one, Child));
request(<<"start_child">>, Pid, _, Step, K) -> supervisor:start_child(Pid, [K, maps:get(starts, Step, none)]);
request(<<"terminate_child">>, Pid, Path, #{id := Id}, _) -> supervisor:terminate_child(Pid, id_of(Path, Id));
request(<<"restart_child">>, Pid, Path, #{id := Id}, _) -> supervisor:restart_child(Pid, id_of(Path, Id));
request(<<"delete_child">>, Pid, Path, #{id := Id}, _) -> supervisor:delete_child(Pid, id_of(Path, Id));
request(<<"get_childspec">>, Pid, Path, #{id := Id}, _) ->
    case supervisor:get_childspec(Pid, id_of(Path, Id)) of
        {ok, #{restart := Restart, significant := Significant, shutdown := Shutdown, type := Type}} ->
            {value, {list, [Restart, Significant, Shutdown, Type]}};
        Other -> Other
    end;
request(<<"count_children">>, Pid, _, _, _) ->
    Counts = supervisor:count_children(Pid),
    {value, {list, [proplists:get_value(Key, Counts) || Key <- [specs, active, supervisors, workers]]}};
request(<<"which_children">>, Pid, _, _, _) ->
    Rows = supervisor:which_children(Pid),
    #{pids := Pids} = ask(state),
    {value, {list, [child(Row, Pids) || Row <- Rows]}}.

child({undefined, Pid, Type, _}, Pids) when is_pid(Pid) ->
    {Path, N} = maps:get(Pid, Pids),
    [_, K] = binary:split(Path, <<"#">>),
    {list, [<<"#", K/binary>>, {list, [running, N]}, Type]};
child({undefined, State, Type, _}, _) -> {list, [<<"#">>, State, Type]};
child({Id, Pid, Type, _}, Pids) when is_pid(Pid) -> {list, [Id, {list, [running, element(2, maps:get(Pid, Pids))]}, Type]};
child({Id, State, Type, _}, _) -> {list, [Id, State, Type]}.

value({value, Value}) -> Value;
value({ok, undefined}) -> <<"ok_undefined">>;
value({ok, _}) -> <<"ok">>;
value(ok) -> <<"ok">>;
value({error, {already_started, _}}) -> <<"already_started">>;
value({error, Word}) when Word =:= already_present; Word =:= running; Word =:= restarting; Word =:= not_found;
                          Word =:= simple_one_for_one -> Word;
value({error, Reason}) -> failed(Reason);
value({'EXIT', _}) -> <<"noproc">>.

failed(Reason) ->
    case word(Reason) of <<"refused">> -> <<"refused">>; Word -> iolist_to_binary(["failed:", Word]) end.

%% ---- JSON ----

json([{_, _} | _] = Members) ->
    [${, lists:join(<<", ">>, [[json(atom_to_binary(Key)), <<": ">>, json(Value)] || {Key, Value} <- Members]), $}];
json({list, List}) -> json_list(List);
json(List) when is_list(List) -> json_list(List);
json(Value) when is_integer(Value) -> integer_to_list(Value);
json(true) -> <<"true">>;
json(false) -> <<"false">>;
json(Value) when is_atom(Value) -> json(atom_to_binary(Value));
json(Value) when is_binary(Value) -> [$", Value, $"].

json_list(List) -> [$[, lists:join(<<", ">>, [json(One) || One <- List]), $]].
