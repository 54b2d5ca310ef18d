/*
 * cli/terminal.h - the terminal while a block is drawn on it: its cursor is hidden, and always comes back.
 *
 *     terminal_take(fd);       hides the cursor
 *     terminal_moved()         true once after the user has stopped us (Ctrl-Z) and let us go on: what was drawn is elsewhere
 *     terminal_give_back();    shows it
 *
 * A signal that ends the process, our own faults included, gives the terminal back first. One terminal a process.
 */
#ifndef FLOW_CLI_TERMINAL_H
#define FLOW_CLI_TERMINAL_H

#include <stdbool.h>

/* Does TERM name one whose lines can be drawn anew? */
bool terminal_redraws(void);
void terminal_take(int fd);
bool terminal_moved(void);
void terminal_give_back(void);

#endif
