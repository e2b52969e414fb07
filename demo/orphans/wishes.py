"""What the story asks of pgmend: references, a strategy for each reason, and how the keys are to be."""

from collections.abc import Iterable

LEGACY_KEYS = "legacy_keys.csv"
SYSTEM_USER = "former-customers"
REPAIR_ID = "1"

REFERENCES = (
    "orders.user_id=profiles.id",
    "conversations.customer_id=profiles.id",
    "conversations.admin_id=profiles.id",
    "chat_messages.sender_id=profiles.id",
    "leads.user_id=profiles.id",
)
STRATEGIES = (
    "orders.user_id:erased=reassign:{system_user}",
    "orders.user_id:gone=reassign:{system_user}",
    "orders.user_id:not_eligible=quarantine",
    "conversations.customer_id:erased=quarantine",
    "conversations.customer_id:not_eligible=quarantine",
    "chat_messages.sender_id:erased=quarantine",
    "chat_messages.sender_id:not_eligible=quarantine",
    "chat_messages.sender_id:unknown=delete",
    "leads.user_id:erased=nullify",
    "leads.user_id:gone=nullify",
    "leads.user_id:not_eligible=nullify",
    f"leads.user_id:malformed=map:{LEGACY_KEYS}",
)
"""Beside what goes without saying: healable is healed, and what is gone, unknown or malformed goes into the quarantine."""

LEADS_ON_DELETE = "leads.user_id=set null"
ON_DELETE = (
    "orders.user_id=cascade",
    "conversations.customer_id=cascade",
    "conversations.admin_id=cascade",
    "chat_messages.sender_id=cascade",
    LEADS_ON_DELETE,
)
ORDERS_KEY = "orders.user_id=fk_orders_user_id"


def repairing(system_user: str) -> list[str]:
    """Return the words of the repair."""
    strategies = (strategy.format(system_user=system_user) for strategy in STRATEGIES)
    return ["repair", *_each("--reference", REFERENCES), *_each("--strategy", strategies), "--on-delete", LEADS_ON_DELETE]


def constraining() -> list[str]:
    """Return the words that make all keys."""
    return ["constrain", *_each("--reference", REFERENCES), *_each("--on-delete", ON_DELETE), "--name", ORDERS_KEY]


def constraining_one(reference: str) -> list[str]:
    """Return the words that look at one reference only."""
    near = reference.partition("=")[0]
    on_delete = [given for given in ON_DELETE if given.startswith(f"{near}=")]
    return ["constrain", "--reference", reference, "--only", near, *_each("--on-delete", on_delete)]


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
