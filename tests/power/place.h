/*
 * tests/power/place.h - what a process that stands still means by a path or a descriptor, and whether that is below the folder that is
 * recorded.
 *
 *     place_root(folder)                           once; 0: there is none
 *     place_of(&p, pid, dir, address)              p.is_ours: a name of a folder below it
 *     place_ino(pid, dir, address, &st)            the file there, 0: none
 *     place_ino_of_fd(pid, fd)                     of a regular file or folder below it, else 0
 */
#ifndef FLOW_TESTS_POWER_PLACE_H
#define FLOW_TESTS_POWER_PLACE_H

#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A path of a call: the folder it lies in and its last name. */
struct place {
	uint64_t dir;
	char name[NAME_MAX + 1];
	int is_ours;
};

int place_root(const char *folder);
void place_of(struct place *p, pid_t pid, int dir, uint64_t address);
uint64_t place_ino(pid_t pid, int dir, uint64_t address, struct stat *st);
uint64_t place_ino_of_fd(pid_t pid, int fd);

/* A text of the process; -1: it is not there, or too long. */
int place_text(pid_t pid, uint64_t address, char text[PATH_MAX]);
/* /proc/PID/fd/FD */
#define PLACE_FD_ROOM 64
const char *place_fd(char path[PLACE_FD_ROOM], pid_t pid, int fd);
/* Where a descriptor stands in its file. */
int64_t place_position(pid_t pid, int fd);

#endif
