package main

import "github.com/alecthomas/kong"

// helpTexts returns what --help says; kong puts the texts into the commands' tags, where they
// would be too long to read.
func helpTexts() kong.Vars {
	return kong.Vars{
		"serve": "Serve a data directory over HTTP until SIGTERM, SIGINT or (with --watch-stdin) " +
			"the end of standard input.",
		// The size is that of the package of the pinned version.
		"fetch":  "Fetch the pinned ClickHouse engine (178 MB, once per machine) and print the path of its library.",
		"print":  "Only print where the library is; fetch nothing, and fail when it is not there.",
		"data":   "Data directory. Made when missing; one process at a time.",
		"listen": "Address of the HTTP interface. Port 0 takes a free one and logs it.",
		"allowed_hosts": "Names under which this server may be asked, beside 127.0.0.1, localhost and the " +
			"address of --listen (comma list). Other Host headers get 403.",
		"lib": "libchdb.so to use. Default: the pinned one, fetched when it is missing.",
		"watch_stdin": "Stop at the end of standard input: a child that must not outlive its parent " +
			"gets a pipe that the parent never writes to.",
		"readers": "Statements that run at once beside the insert. More do not make the whole faster; " +
			"they keep short queries from waiting behind long ones.",
		"read_time": "Time limit of a statement that is no insert (max_execution_time; a request may set its own).",
		"lock_wait": "How long to wait for another process to leave the data directory.",
		"drain_timeout": "How long a stop waits for the running statements; " +
			"those that take longer are killed.",
		"max_body": "Limit of a request body in bytes, after decompression.",
		"nice": "How far the engine gives way to others who want the processor, 0 to 19 (nice(1)). " +
			"It gets all that others leave.",
		"password_file": "File with the password of the user default, 16 bytes or more, which is always needed; " +
			"or set CLICKHOUSED_PASSWORD.",
		"reader_password_file": "File with the password of the user reader, who reads the database nudge within " +
			"limits; or set CLICKHOUSED_READER_PASSWORD. Without one there is no such user.",
		"accounts_fd": "File descriptor from which the parent's secrets are read.",
		"listen_fd":   "File descriptor of the parent's listening socket.",
	}
}
