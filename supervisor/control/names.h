/* SPDX-License-Identifier: MIT */
/* The names of a node's own actors, for those who look them up. */
#ifndef TRP_SUPERVISOR_NAMES_H
#define TRP_SUPERVISOR_NAMES_H

#define KEEPER_NAME "node" /* of the whole life of the node */
#define TREE_ROOT   "root" /* the supervisor of all the others */
#define TREE_ROUTER "router"
#define TREE_INTAKE "intake" /* reads what is too large for the router */

#endif
