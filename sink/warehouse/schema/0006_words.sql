-- Version 6. What the words of the rows mean.
ALTER TABLE {{database}}.deliveries COMMENT COLUMN status
    'State of the message: deferred, handed_off (given to its channel), ghost (of a control group), dropped (never given), sent (the channel took it), retrying, failed, recalled, expired; decisions.kind says sent for handed_off and delivered for sent';

ALTER TABLE {{database}}.decisions COMMENT COLUMN kind
    'What was decided: entered, refused, converted, ended, ...; sent is the decision to hand a message over (deliveries.status handed_off), delivered that the channel took it (deliveries.status sent); docs/reference/reasons.md lists all';
