"""A token for somebody of a company: `python examples/saas/tokens.py acme ada`.

In earnest your identity provider signs them.
"""

from __future__ import annotations

import os
import sys
import time

import jwt


def token(company: str, user: str, secret: str) -> str:
    """A signed token, good for an hour."""
    now = int(time.time())
    claims = {"sub": user, "org": {"id": company}, "iat": now, "exp": now + 3600, "scopes": ["agent_os:admin"]}
    return jwt.encode(claims, secret, algorithm="HS256")


if __name__ == "__main__":
    print(token(sys.argv[1], sys.argv[2], os.environ["SAAS_SECRET"]))
