"""Reads and writes with clickhouse-connect as shipped: only host, user and password are set."""
import os
import sys

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

HOST, PORT = os.environ["CLICKHOUSE_ADDRESS"].rsplit(":", 1)


def client(user, password, **more):
    return clickhouse_connect.get_client(
        host=HOST, port=int(PORT), username=user, password=os.environ[password], **more
    )


def main():
    owner = client("default", "CLICKHOUSE_OWNER_PASSWORD")
    owner.command("CREATE DATABASE IF NOT EXISTS nudge")
    owner.command("CREATE OR REPLACE TABLE nudge.python (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    for compress in (True, False, "lz4", "zstd", "gzip"):
        writer = client("default", "CLICKHOUSE_OWNER_PASSWORD", compress=compress, database="nudge")
        writer.insert("python", [[n, "x" * 100] for n in range(1000)], column_names=["n", "s"])
        reader = client("reader", "CLICKHOUSE_READER_PASSWORD", compress=compress, database="nudge")
        rows = reader.query("SELECT count(), uniqExact(n) FROM python WHERE n >= {low:UInt64}", {"low": 500})
        assert rows.result_rows[0][1] == 500, rows.result_rows
        big = reader.query("SELECT number, toString(number) FROM numbers(200000)")
        assert len(big.result_rows) == 200000 and big.result_rows[-1] == (199999, "199999")
        try:
            reader.insert("python", [[1, "x"]], column_names=["n", "s"])
        except DatabaseError as error:
            assert "497" in str(error) or "ACCESS_DENIED" in str(error), error
        else:
            sys.exit("a reader inserted rows")
    total = owner.query("SELECT count() FROM nudge.python").result_rows[0][0]
    assert total == 5000, total
    owner.command("CREATE TEMPORARY TABLE kept (a UInt8)")
    owner.command("INSERT INTO kept VALUES (7)")
    assert owner.command("SELECT a FROM kept") == 7
    print("ok")


main()
