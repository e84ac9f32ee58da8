"""What each of Discord's JSON error codes says of a message.

Only a refusal of the content is final. A refusal of the channel or of the permission, and any code
that stands in no list, is one of the moment: the message waits.

Codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from cogs.i18n.language import N_, _

CONTENT = frozenset(
    {
        20009,  # explicit content
        30015,  # too many attachments
        40005,  # request entity too large
        50006,  # empty message
        50035,  # invalid form body
        50045,  # uploaded file too large
        50046,  # invalid uploaded file
        50109,  # invalid JSON
        50110,  # invalid file
        50123,  # invalid file type
        50124,  # file too long
        50138,  # asset cannot be made small enough
        50146,  # uploaded file not found
        50151,  # invalid emoji
        50192,  # file without a valid duration
    }
)
"""The message itself can never be taken."""

MEMBER = frozenset(
    {
        10013,  # unknown user
        40007,  # banned from the server
        50007,  # does not accept messages
        50033,  # invalid recipient
        50278,  # no server in common
    }
)
"""A member cannot get private messages from the bot, or does not want them."""

MESSAGE_GONE = frozenset(
    {
        10008,  # unknown message
        50005,  # another bot's: this one has a new account
    }
)

CHANNEL_GONE = frozenset({10003})
NO_MESSAGE_CHANNEL = frozenset(
    {
        40058,  # cannot message this post yet
        50008,  # cannot send messages in a non-text channel
        50024,  # cannot do this in a channel of this type
    }
)
"""The channel may be a forum, which takes posts instead."""

THREAD_ARCHIVED = frozenset({50083})
THREAD_EXISTS = frozenset({160004})

TOO_MANY_OLD_EDITS = 30046
NO_REPLY = 160002
"""The bot may not reply, as it may not read the messages before."""

TOKEN = frozenset({40001, 50014})
EDGE = 40333
"""Discord's edge rejects every request."""

_DELETED = N_("it was deleted: choose another one with /setup")
_NO_GUILD = N_("the bot is not in its server: invite it again")
_NOT_ALLOWED = N_("allow the bot's role to post there, in the channel's permissions")
_WRONG_KIND = N_("it takes no messages: choose a text channel, a thread or a forum with /setup")
_SERVER_DEMANDS = N_("the server demands more of the bot or its owner: see its safety settings")

CHANNEL: dict[int, str] = {
    10003: _DELETED,
    10004: _NO_GUILD,
    40058: _WRONG_KIND,  # forum
    40067: N_("the forum demands a tag: allow posts without one, or choose a text channel"),
    50001: _NOT_ALLOWED,
    50003: _WRONG_KIND,
    50008: _WRONG_KIND,
    50009: _SERVER_DEMANDS,
    50013: _NOT_ALLOWED,
    50017: _SERVER_DEMANDS,
    50024: _WRONG_KIND,
    50055: _NO_GUILD,
    50095: _SERVER_DEMANDS,
    50097: _SERVER_DEMANDS,
    50101: _SERVER_DEMANDS,
    50178: _SERVER_DEMANDS,
    60003: _SERVER_DEMANDS,  # two-factor authentication
    160005: N_("the thread is locked: unlock it, or choose another channel with /setup"),
    220001: _WRONG_KIND,
    220002: _WRONG_KIND,
    220003: _WRONG_KIND,
    220004: _WRONG_KIND,
    400001: N_("the server may not upload files at present"),
}
"""Nothing can be posted in the channel until somebody mends it; the cure."""

_AUTOMOD = N_("exempt the bot's role in Server Settings › AutoMod")

MOMENT: dict[int, str] = dict.fromkeys(
    (
        0,
        20016,  # slow mode
        20022,  # edits of announcements
        20028,  # writing in the channel
        20029,  # writing in the server
        40002,  # the account must be verified
        40003,  # opening private messages too fast
        40004,  # sending is switched off
        40006,  # a feature is switched off
        40062,  # a service is overloaded
        110000,
        110001,
        130000,
    ),
    N_("the bot tries again by itself"),
) | {
    50083: N_("the thread is archived: open it again, or choose another channel with /setup"),
    200000: _AUTOMOD,
    200001: _AUTOMOD,
    240000: _AUTOMOD,
}
"""One message is not taken at present, whatever the answer's status; what to do about it.

So is one with a code that stands nowhere here, unless the status is 403.
"""


def cure_of(code: int) -> str:
    """Say what to do about a refusal that waits."""
    return _(CHANNEL.get(code) or MOMENT.get(code) or MOMENT[0])
