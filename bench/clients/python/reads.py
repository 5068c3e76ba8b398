"""Reads and writes with clickhouse-connect as shipped: only host, user and password are set.
With an argument it reads the rows of that customer in a nudged; without one it writes to a
clickhoused that serves alone, and reads what it wrote."""
import datetime
import decimal
import json
import os
import sys

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

HOST, PORT = os.environ["CLICKHOUSE_ADDRESS"].rsplit(":", 1)


def client(user, password, **more):
    return clickhouse_connect.get_client(
        host=HOST, port=int(PORT), username=user, password=os.environ[password], **more
    )


def refused(do):
    """Wants that a reader may not do something."""
    try:
        do()
    except DatabaseError as error:
        assert "497" in str(error) or "ACCESS_DENIED" in str(error), error
    else:
        sys.exit("a reader wrote")


def read_types():
    """Wants each type as the client has it."""
    reader = client("reader", "CLICKHOUSE_READER_PASSWORD")
    text = "Łódź \"東京\"\n\\ it's"
    rows = reader.query(
        "SELECT {text:String}, toInt8(-7), 18446744073709551615::UInt64, 0.25::Float64, true, null::Nullable(String), "
        "[1, 2]::Array(UInt8), map('ü', 1)::Map(String, UInt8), '12345678901.234567'::Decimal(18, 6), "
        "toDateTime64('2026-03-29 01:30:00.125', 3, 'UTC')", {"text": text})
    at = datetime.datetime(2026, 3, 29, 1, 30, 0, 125000)
    assert rows.result_rows == [(text, -7, 2**64 - 1, 0.25, True, None, [1, 2], {"ü": 1},
                                 decimal.Decimal("12345678901.234567"), at)], rows.result_rows
    found = 0
    with reader.query_row_block_stream("SELECT number FROM numbers(200000)") as blocks:
        for block in blocks:
            found += len(block)
    assert found == 200000, found
    try:
        reader.query("SELECT nothing FROM nowhere")
    except DatabaseError as error:
        assert "60" in str(error) or "UNKNOWN_TABLE" in str(error), error
    else:
        sys.exit("a table that is not there was read")


def read_rows(customer):
    """Wants the row of a cart that another client sent."""
    reader = client("reader", "CLICKHOUSE_READER_PASSWORD", database="nudge")
    rows = reader.query("SELECT event, properties, event_time, received_at FROM events "
                        "WHERE customer = {customer:String} AND type = 'track'", {"customer": customer})
    event, properties, at, received = rows.result_rows[0]
    assert event == "Cart Updated", event
    assert json.loads(properties)["title"] == 'Grüße aus 東京 🛒 "zitiert"\n\\', properties
    assert isinstance(at, datetime.datetime) and at <= received, (at, received)
    refused(lambda: reader.insert("events", [["x"]], column_names=["customer"]))
    refused(lambda: reader.command("DROP TABLE events"))
    print("ok")


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
        refused(lambda: reader.insert("python", [[1, "x"]], column_names=["n", "s"]))
    read_types()
    total = owner.query("SELECT count() FROM nudge.python").result_rows[0][0]
    assert total == 5000, total
    owner.command("CREATE TEMPORARY TABLE kept (a UInt8)")
    owner.command("INSERT INTO kept VALUES (7)")
    assert owner.command("SELECT a FROM kept") == 7
    print("ok")


if len(sys.argv) > 1:
    read_rows(sys.argv[1])
else:
    main()
