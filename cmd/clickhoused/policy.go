package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nudge-engine/nudge/internal/chdb"
)

// policy refuses what the grants of a role cannot say. It judges a statement by what the
// engine itself makes of the text: its syntax tree (EXPLAIN AST, nothing is looked up) and,
// for statements that read, its query tree (EXPLAIN QUERY TREE, every name resolved). A parser
// of our own would understand some text otherwise than the engine, and that difference would
// be the way around it.
//
// It does not change after newPolicy and is safe for concurrent use.
type policy struct {
	// forbidden are the functions, in lower case, that no account may call.
	forbidden map[string]bool
}

// reaching are the ordinary functions, in lower case, that read files, ask other servers, or
// tell of the machine. Sources that are table functions are not here: they need grants.
//
//nudge:constant read only
var reaching = []string{
	"file", "hascolumnintable", "catboostevaluate", "aiclassify", "aiembed", "aiextract", "aigenerate", "aitranslate",
	"filesystemavailable", "filesystemcapacity", "filesystemunreserved", "getmacro", "getserversetting",
	"getserverport",
	"tcpport", "getclienthttpheader", "showcertificate", "addresstoline", "addresstolinewithinlines", "addresstosymbol",
	"logtrace", "generateserialid", "zookeepersessionuptime", "reversednsquery", "structuretocapnprotoschema",
	"structuretoprotobufschema", "hasthreadfuzzer", "fqdn", "fullhostname",
}

// tableFunctions are the table functions that a reader may use: they make rows of nothing.
//
//nudge:constant read only
var tableFunctions = []string{
	"numbers", "numbers_mt", "zeros", "zeros_mt", "values", "generaterandom", "generateseries", "generate_series",
	"null", "primes",
}

// systemTables are the tables of the database system that a reader may read: those by which
// clients find out what there is, and none that tells of others' statements, of files or of
// the machine.
//
//nudge:constant read only
var systemTables = []string{
	"one", "numbers", "numbers_mt", "zeros", "zeros_mt", "databases", "tables", "columns", "functions", "settings",
	"formats", "table_functions", "table_engines", "data_type_families", "aggregate_function_combinators", "collations",
	"parts", "parts_columns", "time_zones", "keywords", "contributors", "licenses", "build_options",
	"data_skipping_indices", "projections", "constraints", "completions",
}

// kinds are the statements that a role may run, by the first word of their syntax tree. A role
// that is not listed, the owner, may run all but never.
//
//nudge:constant read only
var kinds = map[role][]string{
	roleReader: {
		"SelectWithUnionQuery", "Explain", "DescribeQuery", "ExistsTableQuery", "ExistsDatabaseQuery",
		"ExistsViewQuery", "ExistsDictionaryQuery", "ShowTables", "ShowCreateTableQuery", "ShowCreateViewQuery",
		"ShowCreateDatabaseQuery", "ShowColumns", "ShowFunctions", "ShowEngineQuery", "ShowSetting", "UseQuery", "Set",
	},
	roleWriter: {
		"SelectWithUnionQuery", "InsertQuery", "CreateQuery", "AlterQuery", "DeleteQuery", "DropQuery", "OptimizeQuery",
		"ExistsTableQuery", "ExistsDatabaseQuery", "ExistsViewQuery", "UseQuery",
	},
}

// never are the statements that no role may run: they change roles, or reach beyond the
// tables.
//
//nudge:constant read only
var never = []string{
	"SetRoleQuery", "ExecuteAsQuery", "ParallelWithQuery", "SYSTEM", "BackupQuery", "RestoreQuery", "BACKUP", "RESTORE",
	"CopyQuery", "AttachQuery", "ASTTransactionControl",
}

// newPolicy asks the engine for its table functions: all are forbidden as functions but those
// in tableFunctions. So a later engine with a new one does not open a door.
func newPolicy(ctx context.Context, conn *chdb.Conn) (*policy, error) {
	// Some names are both: format() is an ordinary function too.
	r, err := conn.Query(ctx, "SELECT lower(name) FROM system.table_functions WHERE lower(name) NOT IN "+
		"(SELECT lower(name) FROM system.functions)", "TabSeparatedRaw")
	if err != nil {
		return nil, err
	}
	p := &policy{forbidden: map[string]bool{}}
	for _, name := range reaching {
		p.forbidden[name] = true
	}
	for name := range strings.FieldsSeq(string(r.Data)) {
		if !slices.Contains(tableFunctions, name) {
			p.forbidden[name] = true
		}
	}
	return p, nil
}

// check refuses what the role must not run, and returns the kind of the statement, which is
// the first word of its syntax tree. sql must be exactly what will be run, one statement. The
// steps: the kind, the functions in the syntax tree, and for a reader the SETTINGS within the
// statement and every table that it reads.
func (p *policy) check(ctx context.Context, conn *chdb.Conn, who role, sql string, params []chdb.Param,
) (kind string, err error) {
	tree, err := explain(ctx, conn, "EXPLAIN AST "+sql, params)
	if err != nil {
		return "", err
	}
	kind = strings.TrimSpace(tree)
	if end := strings.IndexAny(kind, " \n"); end >= 0 {
		kind = kind[:end]
	}
	// A role that has no list may run every kind that is not in never.
	if allowed := kinds[who]; slices.Contains(never, kind) || allowed != nil && !slices.Contains(allowed, kind) {
		return kind, denied(who, "run this kind of statement ("+headerSafe(kind)+")")
	}
	if err := p.functions(who, sql, tree); err != nil || who != roleReader {
		return kind, err
	}
	// A SETTINGS clause within the statement would be applied without a look at readonly.
	if depth := astSettings.FindStringSubmatch(tree); depth != nil && (kind != "Explain" || len(depth[1]) > 1) {
		return kind, refuse(164, "READONLY", "Cannot modify settings in readonly mode: write SETTINGS at the end of "+
			"the statement, with plain values")
	}
	// For a reader, what reads is checked by its tables; what does not read must have no
	// expressions.
	switch kind {
	case "SelectWithUnionQuery":
		return kind, p.selects(ctx, conn, sql, params)
	case "Explain", "DescribeQuery":
		if inner := innerSelect(sql); inner != "" {
			return kind, p.selects(ctx, conn, inner, params)
		}
	}
	return kind, p.plain(sql)
}

// Lines of a syntax tree. An indented "Set" is a SETTINGS clause; one at the beginning of the
// text is the statement SET.
var (
	astFunction   = regexp.MustCompile(`(?m)^ *Function (\S+)`)
	astSettings   = regexp.MustCompile(`(?m)^( +)Set$`)
	astIdentifier = regexp.MustCompile(`(?m)^ *(?:Table)?Identifier (\S+)`)
)

// functions refuses forbidden functions wherever the syntax tree has them, also where a
// function is passed by its name alone, as in arrayMap(f, a) and APPLY(f).
func (p *policy) functions(who role, sql, tree string) error {
	for _, pattern := range []*regexp.Regexp{astFunction, astIdentifier} {
		for _, m := range pattern.FindAllStringSubmatch(tree, -1) {
			name := strings.ToLower(m[1])
			// An identifier may be a column that has the name of a table function, so of these
			// only calls are refused.
			if p.forbidden[name] && (pattern == astFunction || slices.Contains(reaching, name)) {
				return denied(who, "call "+headerSafe(m[1])+"()")
			}
		}
	}
	// APPLY(f) has its function in no node of the tree, so it is looked for in the text.
	tokens := tokensOf(sql)
	for i, t := range tokens {
		if !isWord(sql, t, "APPLY") {
			continue
		}
		for _, next := range tokens[i+1 : min(i+3, len(tokens))] {
			if name := strings.ToLower(strings.Trim(sql[next.start:next.end], "`\"")); p.forbidden[name] {
				return denied(who, "call "+headerSafe(name)+"()")
			}
		}
	}
	return nil
}

// Lines of a query tree: tables, table functions and calls, each with its resolved name.
var (
	treeTable    = regexp.MustCompile(`(?m)^ *TABLE id: .*$`)
	treeName     = regexp.MustCompile(`^.*, table_name: ([^ ,]+)`)
	treeFunction = regexp.MustCompile(`(?m)^ *TABLE_FUNCTION id: .*$`)
	treeCall     = regexp.MustCompile(`(?m)^ *FUNCTION id: \d+, function_name: ([^ ,]+)`)
	treeSource   = regexp.MustCompile(`^.*, table_function_name: ([^ ,]+)`)
)

// selects refuses a SELECT that reads another table than a reader may, or calls what it may
// not. A line that looks like a table and is none, because a text of the statement has it, can
// only make it refuse more.
func (p *policy) selects(ctx context.Context, conn *chdb.Conn, sql string, params []chdb.Param) error {
	// In parentheses no FORMAT and no INTO OUTFILE parses, which would change what the next
	// EXPLAIN answers with.
	ast, err := explain(ctx, conn, "EXPLAIN AST SELECT 1 FROM ("+sql+"\n)", params)
	if err != nil {
		return err
	}
	for _, m := range astIdentifier.FindAllStringSubmatch(ast, -1) {
		// Names as they are written count too: the query tree shows what became of a name, and
		// not the name itself.
		if parts := strings.Split(m[1], "."); len(parts) > 1 && isSystem(parts[0]) && !mayRead(parts[0], parts[1]) {
			return denied(roleReader, "read "+headerSafe(m[1]))
		}
	}
	tree, err := explain(ctx, conn, "EXPLAIN QUERY TREE "+sql, params)
	if err != nil {
		return err
	}
	// The answer must be a query tree. Anything else was not checked, and is refused.
	if !strings.HasPrefix(tree, "QUERY id: 0") && !strings.HasPrefix(tree, "UNION id: 0") {
		return denied(roleReader, "run a statement that the engine does not explain")
	}
	for _, line := range treeTable.FindAllString(tree, -1) {
		name := treeName.FindStringSubmatch(line)
		if name == nil {
			return denied(roleReader, "read this table")
		}
		database, table, _ := strings.Cut(name[1], ".")
		if !mayRead(database, table) {
			return denied(roleReader, "read "+headerSafe(name[1]))
		}
	}
	for _, line := range treeFunction.FindAllString(tree, -1) {
		name := treeSource.FindStringSubmatch(line)
		if name == nil || !slices.Contains(tableFunctions, strings.ToLower(name[1])) {
			return denied(roleReader, "use this table function")
		}
	}
	for _, m := range treeCall.FindAllStringSubmatch(tree, -1) {
		if p.forbidden[strings.ToLower(m[1])] {
			return denied(roleReader, "call "+headerSafe(m[1])+"()")
		}
	}
	return nil
}

// isSystem reports whether a database is one of the engine's own.
func isSystem(database string) bool {
	database = strings.ToLower(strings.Trim(database, "`\""))
	return database == "system" || database == "information_schema"
}

// mayRead reports whether a reader may read a table. Of the database nudge it is every one,
// and the engine's grants have the last word.
func mayRead(database, table string) bool {
	database = strings.Trim(database, "`\"")
	switch strings.ToLower(database) {
	case "nudge", "information_schema":
		return true
	case "system":
		return slices.Contains(systemTables, strings.Trim(table, "`\""))
	}
	return false
}

// innerSelect returns the SELECT within an EXPLAIN or a DESCRIBE; "" when it has none.
func innerSelect(sql string) string {
	tokens := tokensOf(sql)
	for i, t := range tokens {
		begins := isWord(sql, t, "SELECT") || isWord(sql, t, "WITH") || isWord(sql, t, "FROM") || isSymbol(sql, t, '(')
		if i == 0 || !begins {
			continue
		}
		return sql[t.start:]
	}
	return ""
}

// plain refuses expressions in statements that need none, such as SHOW and DESCRIBE: they
// would be run as part of a SELECT that the engine makes of the statement, and that nothing
// here has checked.
func (p *policy) plain(sql string) error {
	for _, t := range tokensOf(sql) {
		if isSymbol(sql, t, '(') || isWord(sql, t, "SELECT") || isWord(sql, t, "WHERE") {
			return denied(roleReader, "use expressions here; ask the tables of system with SELECT")
		}
	}
	return nil
}

// explain runs an EXPLAIN and returns its lines.
func explain(ctx context.Context, conn *chdb.Conn, sql string, params []chdb.Param) (string, error) {
	r, err := conn.Query(ctx, sql, "TabSeparatedRaw", params...)
	return string(r.Data), err
}

// refusal is the error for what an account must not do. It is answered with 403, whatever
// status ClickHouse has for the code.
type refusal struct{ *chdb.Exception }

// Unwrap returns the exception.
func (r refusal) Unwrap() error { return r.Exception }

// refuse returns a refusal with a code of ClickHouse.
func refuse(code int, name, text string) error { return refusal{exception(code, name, text)} }

// denied returns the refusal of what a role may not do; what completes "this account may not".
func denied(who role, what string) error {
	return refuse(497, "ACCESS_DENIED", fmt.Sprintf("%s: Not enough privileges: this account may not %s", who, what))
}
