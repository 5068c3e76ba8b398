-- Version 2. The variants of a chain, as a JSON object from step to variant; and rows that
-- take a conversion back, whose value is negative.
ALTER TABLE {{database}}.chain_states ADD COLUMN IF NOT EXISTS variants String AFTER value;

ALTER TABLE {{database}}.goals ADD COLUMN IF NOT EXISTS reversal UInt8 AFTER at;

DROP VIEW IF EXISTS {{database}}.chains;

CREATE VIEW {{database}}.chains AS
SELECT workspace, campaign, customer, entry,
       argMax(chain_key, s.revision) AS chain_key, argMax(version, s.revision) AS version,
       argMax(entered_at, s.revision) AS entered_at,
       argMax(tuple(ended_at), s.revision).1 AS ended_at,
       argMax(outcome, s.revision) AS outcome, argMax(goal, s.revision) AS goal,
       argMax(value, s.revision) AS value, argMax(variants, s.revision) AS variants
FROM {{database}}.chain_states AS s
GROUP BY workspace, campaign, customer, entry;
