"""Writes what k3s keeps in its datastore, and what tools export of it. Written
against k3s's sources and not against rootkiln's, with other libraries.

    bootstrap_value.py FORM OUT SERVER TOKENFILE [TOKENFILE...]

SERVER is a directory that holds tls and cred. FORM is one of: value, old (the
value in the format from before December 2021), extra (with a name of tomorrow),
plain, values, json, fields, list, map, db, wal (a database whose changes are in
its log alone), cut (the same, the last commit cut off). Each further token is a
key of its own, before the first. KEYS in the environment: "raw" takes the whole
token for the password, "empty" takes none.
"""

import base64, datetime, hashlib, json, os, secrets, sqlite3, sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NAMES = {
    "ServerCA": "tls/server-ca.crt", "ServerCAKey": "tls/server-ca.key",
    "ClientCA": "tls/client-ca.crt", "ClientCAKey": "tls/client-ca.key",
    "RequestHeaderCA": "tls/request-header-ca.crt", "RequestHeaderCAKey": "tls/request-header-ca.key",
    "ETCDServerCA": "tls/etcd/server-ca.crt", "ETCDServerCAKey": "tls/etcd/server-ca.key",
    "ETCDPeerCA": "tls/etcd/peer-ca.crt", "ETCDPeerCAKey": "tls/etcd/peer-ca.key",
    "ServiceKey": "tls/service.key", "PasswdFile": "cred/passwd", "IPSECKey": "cred/ipsec.psk",
}

form, out, server, *tokens = sys.argv[1:]


def b64(data):
    return base64.b64encode(data).decode()


def password(token):
    if os.environ.get("KEYS") == "empty":
        return ""
    if token.startswith("K10") and os.environ.get("KEYS") != "raw":
        return token.split("::", 1)[1].split(":", 1)[1]
    return token


def plaintext():
    data = {}
    for name, path in NAMES.items():
        path = os.path.join(server, path)
        if not os.path.exists(path):
            continue
        content = b64(open(path, "rb").read())
        seconds = os.stat(path).st_mtime
        when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()
        data[name] = content if form == "old" else {"Timestamp": when, "Content": content}
    if form == "extra":
        data["TomorrowKey"] = {"Timestamp": "2026-01-01T00:00:00Z", "Content": b64(b"tomorrow")}
    return (json.dumps(data) + "\n").encode()


def seal(secret, clear):
    salt, nonce = secrets.token_hex(8), secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha1", secret.encode(), salt.encode(), 4096, 32)
    return salt + ":" + b64(nonce + AESGCM(key).encrypt(nonce, clear, None))


def pairs():
    clear = plaintext()
    for file in reversed(tokens):
        secret = password(open(file).read().strip())
        yield "/bootstrap/" + hashlib.sha256(secret.encode()).hexdigest()[:12], seal(secret, clear)


SCHEMA = """CREATE TABLE IF NOT EXISTS kine
    (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name INTEGER,
        created INTEGER,
        deleted INTEGER,
        create_revision INTEGER,
        prev_revision INTEGER,
        lease INTEGER,
        value BLOB,
        old_value BLOB
    );
CREATE INDEX kine_name_index ON kine (name);
CREATE UNIQUE INDEX kine_name_prev_revision_uindex ON kine (name, prev_revision);"""


def database():
    db = sqlite3.connect(out, isolation_level=None)
    db.execute("PRAGMA page_size=%s" % os.environ.get("PAGE", "4096"))
    db.execute("PRAGMA synchronous=OFF")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.executescript(SCHEMA)
    row = "INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease, value, old_value) VALUES (?,?,?,?,?,0,?,?)"
    number = 0

    def put(name, value, created=1, deleted=0, old=b""):
        nonlocal number
        db.execute(row, (name, created, deleted, 0, number, value, old))
        number += 1

    many = pairs()
    put("compact_rev_key", b"")
    for i in range(700):
        put("/registry/pods/default/p%d" % i, secrets.token_bytes(i * 7))
    for key, value in many:
        put(key, b"")  # the lock
        put(key, ("0" * 16 + ":" + value[17:]).encode(), 0)  # a value of before
        if form != "db":
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("BEGIN")
        put(key, value.encode(), 0, 0, b"old" * 9000)
        put("/bootstrap/0123456789ab", b"gone", 1, 1)
        db.execute("COMMIT")
    for i in range(300):
        put("/registry/events/e%d" % i, secrets.token_bytes(300))
    if form == "db":
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        return
    log = out + "-wal"
    if form == "cut":
        os.truncate(log, 32 + 24 + 100)
    os._exit(0)  # without the checkpoint that the end of the last connection brings


if form in ("db", "wal", "cut"):
    database()
    sys.exit()
many = list(pairs())
if form in ("value", "old", "extra"):
    text = many[-1][1]
elif form == "plain":
    text = "".join(k + "\n" + v + "\n" for k, v in many)
elif form == "values":
    text = "".join(v + "\n" for _, v in many)
elif form == "json":
    text = json.dumps({"header": {"revision": 7}, "kvs": [
        {"key": b64(k.encode()), "create_revision": 2, "mod_revision": 2, "version": 1, "value": b64(v.encode())} for k, v in many], "count": len(many)})
elif form == "fields":
    text = '"ClusterID" : 1\n"Revision" : 7\n' + "".join(
        '"Key" : "%s"\n"CreateRevision" : 2\n"Value" : "%s"\n"Lease" : 0\n' % kv for kv in many) + '"More" : false\n"Count" : 1\n'
elif form == "list":
    text = json.dumps([{"key": k, "value": v} for k, v in many])
else:
    text = json.dumps({"/registry/x": "y", **dict(many)})
open(out, "w").write(text)
