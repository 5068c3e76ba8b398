-- What a reader must not do, a statement a line. {file} is a call of file() for a file that every user may read.
SELECT * FROM {file}
SELECT * FROM (SELECT * FROM {file})
WITH x AS (SELECT * FROM {file}) SELECT * FROM x
SELECT 1 WHERE 1 IN (SELECT length(line) FROM {file})
SELECT (SELECT any(line) FROM {file})
SELECT count() FROM nudge.events e JOIN {file} f ON 1 = 1
SELECT 1 UNION ALL SELECT length(line) FROM {file}
/* x */ SELECT * FROM /* y */ `file`('{secret}', 'LineAsString')
EXPLAIN SELECT * FROM {file}
DESCRIBE TABLE {file}
DESCRIBE (SELECT * FROM {file})
SELECT file('{secret}')
SELECT * FROM file('/proc/self/environ', 'LineAsString')
SELECT * FROM file('{data}/node.json', 'LineAsString')
SELECT * FROM view(SELECT * FROM {file})
SELECT * FROM cluster('default', view(SELECT * FROM {file}))
SELECT * FROM loop({file})
SELECT * FROM filesystem('{dir}')
SELECT * FROM url('{url}/x', 'LineAsString')
SELECT * FROM urlCluster('default', '{url}/x', 'LineAsString')
SELECT * FROM s3('{url}/b/x', 'LineAsString')
SELECT * FROM remote('127.0.0.1:1', system.one)
SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')
SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')
SELECT * FROM sqlite('{secret}', 't')
SELECT * FROM executable('cat', 'LineAsString', 'line String')
SELECT * FROM Python('x')
SELECT * FROM python('x')
SELECT * FROM input('line String')
INSERT INTO FUNCTION file('{written}', 'CSV', 'a String') SELECT 'x'
INSERT INTO FUNCTION url('{url}/x', 'CSV', 'a String') SELECT customer FROM nudge.events
INSERT INTO nudge.events SELECT * FROM nudge.events
SELECT 1 INTO OUTFILE '{written}'
DELETE FROM nudge.events WHERE 1
ALTER TABLE nudge.events DELETE WHERE 1
TRUNCATE TABLE nudge.events
DROP TABLE nudge.events
DROP DATABASE nudge
OPTIMIZE TABLE nudge.events
CREATE TABLE nudge.x (a String) ENGINE = File(CSV, '{secret}')
CREATE TABLE x (a String) ENGINE = URL('{url}', CSV)
CREATE TEMPORARY TABLE x (a String) ENGINE = File(CSV, '{secret}')
CREATE VIEW nudge.x AS SELECT * FROM {file}
CREATE FUNCTION f AS (x) -> x
CREATE USER u
CREATE NAMED COLLECTION c AS a = 'b'
ATTACH TABLE nudge.y (a String) ENGINE = File(CSV)
BACKUP DATABASE nudge TO File('{written}')
RESTORE DATABASE nudge FROM File('{written}')
SYSTEM SHUTDOWN
SYSTEM FLUSH LOGS
KILL QUERY WHERE 1
SET readonly = 0
SET max_execution_time = 0
SET readonly = 0; DELETE FROM nudge.events WHERE 1
SELECT 1; SELECT * FROM {file}
SELECT * FROM {file} SETTINGS readonly = 0
SELECT 1 SETTINGS max_execution_time = 0, max_memory_usage = 0
SELECT 1 SETTINGS allow_introspection_functions = 1
SELECT getServerSetting('default_password')
SELECT * FROM system.query_log
SELECT * FROM system.processes
SELECT * FROM system.users
SELECT * FROM system.named_collections
SELECT * FROM system.dictionaries
SELECT * FROM system.disks
SELECT * FROM system.server_settings
SELECT * FROM merge('system', '.*')
SELECT * FROM merge(REGEXP('.*'), '.*')
SELECT sleepEachRow(3) FROM numbers(1000)
SELECT throwIf(1)
