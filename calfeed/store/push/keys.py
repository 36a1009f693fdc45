"""The key pair by which push services recognize this site (VAPID, RFC 8292)."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, select

from calfeed.store.push.tables import push_keys
from calfeed.store.secrets.sealing import Places, keyring_of
from calfeed.store.upsert import insert_new

_ROW = 1
_keys = Places(push_keys.c.key)


def load_push_key(connection: Connection) -> ec.EllipticCurvePrivateKey:
    """Load this site's private key (P-256), in a transaction that may write.

    The first call makes it. Subscriptions are bound to it, so it is never replaced. Raises
    SealError if its encryption key is missing.
    """
    query = select(push_keys.c.key).where(push_keys.c.id == _ROW)
    keys, place = keyring_of(connection), _keys.of(_ROW)
    sealed = connection.scalar(query)
    if sealed is None:
        number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        made = keys.seal(place, f"{number:064x}")
        connection.execute(insert_new(connection, push_keys).values(id=_ROW, key=made))
        sealed = connection.execute(query).scalar_one()
    return ec.derive_private_key(int(keys.open(place, sealed), 16), ec.SECP256R1())


def show_public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """Return the public key in the format of browsers: the uncompressed point in base64url."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode("ascii")
