"""Sends one call of each kind with RudderStack's client for Python, which compresses with gzip.
Usage: python rudderstack_client.py URL KEY NAME"""
import datetime
import sys

from rudderstack.analytics.client import Client

url, key, name = sys.argv[1:4]
failures = []
client = Client(key, host=url, gzip=True, max_retries=0, on_error=lambda error, batch: failures.append(error))
user, visitor = f"{name}-user", f"{name}-visitor"
client.track(anonymous_id=visitor, event="Cart Updated", properties={"cart_id": "A", "value": 30})
client.identify(user_id=user, anonymous_id=visitor, traits={"email": "ann@example.com"})
client.page(user_id=user, category="Docs", name="Pricing", properties={"url": "/pricing"})
client.screen(user_id=user, name="Home")
client.group(user_id=user, group_id="acme", traits={"plan": "pro"})
client.alias(previous_id=f"{name}-phone", user_id=user)
client.track(user_id=user, event="Order Completed", timestamp=datetime.datetime.now(datetime.timezone.utc))
client.shutdown()
for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(bool(failures))
