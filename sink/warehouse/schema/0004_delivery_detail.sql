-- Version 4. What the receiver of a delivery answered, and what else a reason is about.
ALTER TABLE {{database}}.deliveries ADD COLUMN IF NOT EXISTS detail String AFTER reason;

ALTER TABLE {{database}}.deliveries COMMENT COLUMN detail
    'More about the reason: status and first line of the answer of the channel, the variable that is missing, the limit that a text exceeds';
