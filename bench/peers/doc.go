// Package peers starts what users would otherwise pick, beside nudge: PostgreSQL of
// the operating system, and programs that lie below this directory as modules of their
// own, so that nothing of theirs becomes a dependency of nudge.
package peers
