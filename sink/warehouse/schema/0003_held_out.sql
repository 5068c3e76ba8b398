-- Version 3. Whether a chain is of the control group; 0 in rows from before.
ALTER TABLE {{database}}.chain_states ADD COLUMN IF NOT EXISTS held_out UInt8 AFTER variants;

DROP VIEW IF EXISTS {{database}}.chains;

CREATE VIEW {{database}}.chains AS
SELECT workspace, campaign, customer, entry,
       argMax(chain_key, s.revision) AS chain_key, argMax(version, s.revision) AS version,
       argMax(entered_at, s.revision) AS entered_at,
       argMax(tuple(ended_at), s.revision).1 AS ended_at,
       argMax(outcome, s.revision) AS outcome, argMax(goal, s.revision) AS goal,
       argMax(value, s.revision) AS value, argMax(variants, s.revision) AS variants,
       argMax(held_out, s.revision) AS held_out
FROM {{database}}.chain_states AS s
GROUP BY workspace, campaign, customer, entry;
