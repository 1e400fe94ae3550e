%% SPDX-License-Identifier: MIT
-module(bench_sup).
-behaviour(supervisor).
-export([init/1]).
init(Driver) -> bench:sup_init(Driver).
