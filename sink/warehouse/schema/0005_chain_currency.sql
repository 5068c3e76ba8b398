-- Version 5. The currency of a chain's value; empty in rows from before, and where the goal
-- says none. Values of several currencies have no sum.
ALTER TABLE {{database}}.chain_states ADD COLUMN IF NOT EXISTS currency LowCardinality(String) AFTER value;

DROP VIEW IF EXISTS {{database}}.chains;

CREATE VIEW {{database}}.chains AS
SELECT workspace, campaign, customer, entry,
       argMax(chain_key, s.revision) AS chain_key, argMax(version, s.revision) AS version,
       argMax(entered_at, s.revision) AS entered_at,
       argMax(tuple(ended_at), s.revision).1 AS ended_at,
       argMax(outcome, s.revision) AS outcome, argMax(goal, s.revision) AS goal,
       argMax(value, s.revision) AS value, argMax(currency, s.revision) AS currency,
       argMax(variants, s.revision) AS variants, argMax(held_out, s.revision) AS held_out
FROM {{database}}.chain_states AS s
GROUP BY workspace, campaign, customer, entry;
