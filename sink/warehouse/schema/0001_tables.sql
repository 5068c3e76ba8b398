-- Version 1. {{settings}} is what the engine needs to be durable and to know a
-- block that is sent again. Statements end with a semicolon at the end of a line.
-- Tables are not partitioned: a block must become one part, so that it is there
-- whole or not at all.
CREATE TABLE {{database}}.events
(
    workspace   LowCardinality(String),
    customer    String,
    event       LowCardinality(String),
    message_id  String,
    event_time  DateTime64(3, 'UTC') CODEC(DoubleDelta, LZ4),
    received_at DateTime64(3, 'UTC') CODEC(DoubleDelta, LZ4),
    type        LowCardinality(String),
    properties  String,
    traits      String,
    context     String,
    block       UInt64 CODEC(DoubleDelta, LZ4),
    partition   UInt16,
    seq         UInt64,
    idx         UInt32,
    INDEX of_block block TYPE minmax GRANULARITY 1,
    INDEX of_customer customer TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree ORDER BY received_at
SETTINGS {{settings}};

CREATE TABLE {{database}}.deliveries
(
    workspace   LowCardinality(String),
    campaign    LowCardinality(String),
    version     UInt32,
    customer    String,
    chain_key   String,
    entry       UInt32,
    step        LowCardinality(String),
    channel     LowCardinality(String),
    variant     LowCardinality(String),
    status      LowCardinality(String),
    reason      LowCardinality(String),
    delivery_id String,
    trigger_id  String,
    attempt     UInt32,
    due         DateTime64(3, 'UTC'),
    at          DateTime64(3, 'UTC'),
    block       UInt64 CODEC(DoubleDelta, LZ4),
    partition   UInt16,
    seq         UInt64,
    idx         UInt32,
    INDEX of_block block TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree ORDER BY (workspace, campaign, at)
SETTINGS {{settings}};

CREATE TABLE {{database}}.decisions
(
    workspace LowCardinality(String),
    campaign  LowCardinality(String),
    version   UInt32,
    customer  String,
    chain_key String,
    entry     UInt32,
    step      LowCardinality(String),
    kind      LowCardinality(String),
    reason    LowCardinality(String),
    detail    String,
    event_id  String,
    at        DateTime64(3, 'UTC'),
    block     UInt64 CODEC(DoubleDelta, LZ4),
    partition UInt16,
    seq       UInt64,
    idx       UInt32,
    INDEX of_block block TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree ORDER BY (workspace, campaign, at)
SETTINGS {{settings}};

-- Every state of a chain; the view chains shows the last one.
CREATE TABLE {{database}}.chain_states
(
    workspace  LowCardinality(String),
    campaign   LowCardinality(String),
    version    UInt32,
    customer   String,
    chain_key  String,
    entry      UInt32,
    entered_at DateTime64(3, 'UTC'),
    ended_at   Nullable(DateTime64(3, 'UTC')),
    outcome    LowCardinality(String),
    goal       LowCardinality(String),
    value      Decimal(18, 6),
    revision   UInt64,
    block      UInt64 CODEC(DoubleDelta, LZ4),
    partition  UInt16,
    seq        UInt64,
    idx        UInt32
)
ENGINE = MergeTree ORDER BY (workspace, campaign, customer, entry, revision)
SETTINGS {{settings}};

CREATE VIEW {{database}}.chains AS
SELECT workspace, campaign, customer, entry,
       argMax(chain_key, s.revision) AS chain_key, argMax(version, s.revision) AS version,
       argMax(entered_at, s.revision) AS entered_at,
       argMax(tuple(ended_at), s.revision).1 AS ended_at,
       argMax(outcome, s.revision) AS outcome, argMax(goal, s.revision) AS goal,
       argMax(value, s.revision) AS value
FROM {{database}}.chain_states AS s
GROUP BY workspace, campaign, customer, entry;

CREATE TABLE {{database}}.goals
(
    workspace LowCardinality(String),
    campaign  LowCardinality(String),
    version   UInt32,
    customer  String,
    chain_key String,
    entry     UInt32,
    goal      LowCardinality(String),
    step      LowCardinality(String),
    value     Decimal(18, 6),
    currency  LowCardinality(String),
    event_id  String,
    at        DateTime64(3, 'UTC'),
    block     UInt64 CODEC(DoubleDelta, LZ4),
    partition UInt16,
    seq       UInt64,
    idx       UInt32,
    INDEX of_block block TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree ORDER BY (workspace, campaign, at)
SETTINGS {{settings}};

CREATE TABLE {{database}}.dead_letters
(
    workspace LowCardinality(String),
    customer  String,
    reason    LowCardinality(String),
    field     String,
    detail    String,
    raw       String,
    at        DateTime64(3, 'UTC'),
    block     UInt64 CODEC(DoubleDelta, LZ4),
    partition UInt16,
    seq       UInt64,
    idx       UInt32,
    INDEX of_block block TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree ORDER BY at
SETTINGS {{settings}};
