"""What every client sends: values that are easily changed on the way."""
import datetime

CART = {
    "cart_id": "A-1",
    "value": 30.5,
    "quantity": 3,
    "largest": 2**53 - 1,
    "title": 'Grüße aus 東京 🛒 "zitiert"\n\\',
    "gift": True,
    "items": [{"sku": "S1", "price": 9.99}, {"sku": "", "price": -1}],
}
PERSON = {"email": "zoe@example.com", "name": "Zoë Müller", "age": 41, "address": {"city": "Łódź"}}


def send(client, name):
    """One call of each kind, and one that comes twice."""
    user, visitor = f"{name}-user", f"{name}-visitor"
    earlier = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2)
    client.track(anonymous_id=visitor, event="Cart Updated", properties=CART)
    client.identify(user_id=user, anonymous_id=visitor, traits=PERSON)
    client.page(user_id=user, category="Docs", name="Pricing", properties={"url": "/pricing"})
    client.screen(user_id=user, name="Home", properties={"tab": 1})
    client.group(user_id=user, group_id="acme", traits={"plan": "pro"})
    client.alias(previous_id=f"{name}-phone", user_id=user)
    for _ in range(2):
        client.track(user_id=user, event="Order Completed", properties={"order_id": 7}, timestamp=earlier,
                     message_id=f"{name}-order")
    client.shutdown()
