"""Listens to three kinds of event and answers what it did with each."""


def on_user_action(event):
    return f"{event['user']} did {event['action']}"


def on_data_update(event):
    return f"{event['key']} is now {event['value']}"


def on_timer_trigger(event):
    return f"woke at {event['time']}"


LISTENERS = {
    "user_action": on_user_action,
    "data_update": on_data_update,
    "timer_trigger": on_timer_trigger,
}


def lambda_handler(event, context):
    kind = event.get("type")
    listener = LISTENERS.get(kind)
    if listener is None:
        raise ValueError(f"type is {kind!r}; known are {', '.join(LISTENERS)}")
    return {"type": kind, "result": listener(event)}
