"""The sender of each kind of channel."""

from services.engagement.senders.access_tokens import AccessTokens
from services.engagement.senders.aliyun_sms import AliyunSmsSender
from services.engagement.senders.inbox import InboxSender
from services.engagement.senders.logged import LogSender
from services.engagement.senders.outbound import Outbound
from services.engagement.senders.parcel import AddressBook, Sender
from services.engagement.senders.smtp import SmtpSender
from services.engagement.senders.webhook import WebhookSender
from services.engagement.senders.wechat import WechatSender
from services.engagement.senders.wecom import WecomSender
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database


def senders(
    db: Database, outbound: Outbound, addresses: AddressBook, tokens: AccessTokens, clock: Clock
) -> dict[str, Sender]:
    """`addresses`: the vault, asked for phone and e-mail at the moment of sending."""
    return {
        "log": LogSender(),
        "webhook": WebhookSender(outbound, clock),
        "smtp": SmtpSender(addresses, clock),
        "aliyun_sms": AliyunSmsSender(outbound, addresses, clock),
        "wechat_subscribe": WechatSender("subscribe", outbound, tokens, clock),
        "wechat_template": WechatSender("template", outbound, tokens, clock),
        "wecom": WecomSender(outbound, tokens, clock),
        "inbox": InboxSender(db, clock),
    }
