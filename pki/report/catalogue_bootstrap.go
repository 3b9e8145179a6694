package report

var bootstrapMessages = messages{
	{"datastore-unreadable", Message{
		"{subject}: cannot be read as an export of the datastore: {detail}.",
		"Taken are the bare value, the output of etcdctl (plain, values only, JSON, fields), JSON with keys and values, and k3s's SQLite file state.db.",
		"Export the key again, such as with `etcdctl get --prefix /bootstrap/ -w json`, or copy state.db with the files beside it.",
	}, Message{
		"{subject}：无法作为数据存储的导出读取：{detail}。",
		"可读取的有：单独的值、etcdctl 的输出（普通、仅值、JSON、fields）、含键和值的 JSON，以及 k3s 的 SQLite 文件 state.db。",
		"请重新导出该键，例如用 `etcdctl get --prefix /bootstrap/ -w json`，或连同旁边的文件一起复制 state.db。",
	}},
	{"datastore-log", Message{
		"{subject}: its write-ahead log was not copied with it.",
		"k3s keeps its newest changes in the file with the ending -wal for as long as it runs; what stands there is missing here.",
		"If k3s was running when the file was copied: stop it and copy both files.",
	}, Message{
		"{subject}：没有一并复制其预写日志。",
		"k3s 运行期间，最新的改动都在以 -wal 结尾的文件里；那里的内容这里没有。",
		"若复制时 k3s 正在运行：请停止它，再复制这两个文件。",
	}},
	{"bootstrap-none", Message{
		"{subject}: holds no key under /bootstrap/.",
		"k3s keeps the cluster's authorities under such a key, also with embedded etcd. An export of something else cannot be decrypted.",
		"Export that prefix: `etcdctl get --prefix /bootstrap/`.",
	}, Message{
		"{subject}：没有 /bootstrap/ 之下的键。",
		"k3s 把集群的各 CA 保存在这样的键里，内嵌 etcd 也是如此。其他内容的导出无从解密。",
		"请导出这个前缀：`etcdctl get --prefix /bootstrap/`。",
	}},
	{"bootstrap-locked", Message{
		"{subject}: the value is empty.",
		"An empty value is a lock: a server was making the authorities of the cluster when this was exported, or died over it.",
		"Export it again when the server has started.",
	}, Message{
		"{subject}：值为空。",
		"空值是一把锁：导出时某台服务器正在生成集群的各 CA，或在此过程中崩溃了。",
		"请在服务器启动完成后重新导出。",
	}},
	{"bootstrap-token", Message{
		"{subject}: the token opens none of the values there ({count}).",
		"Each value is encrypted with the server token of the cluster. Nothing else was tried, and nothing was written.",
		"Take the server token as in server/token or in k3s's --token; an agent token does not fit. After `k3s token rotate` it is the new one.",
	}, Message{
		"{subject}：此令牌打不开其中的任何值（{count} 个）。",
		"每个值都用集群的服务器令牌加密。没有尝试其他办法，也未写入任何文件。",
		"请使用服务器令牌，即 server/token 的内容或 k3s 的 --token；agent 令牌不行。执行过 `k3s token rotate` 之后要用新令牌。",
	}},
	{"token-format", Message{
		"The token cannot be that of a server: {detail}.",
		"k3s would refuse it as well, so no value can have been encrypted with it.",
		"Give the whole token (K10, hash, two colons, server, colon, password) or the password alone.",
	}, Message{
		"这不可能是服务器令牌：{detail}。",
		"k3s 同样会拒绝它，因此不会有值是用它加密的。",
		"请给出完整的令牌（K10、哈希、两个冒号、server、冒号、密码），或只给出密码。",
	}},
	{"token-short", Message{
		"The new token has a password of {count} characters only.",
		"Whoever reads the datastore or a backup of it can try millions of short passwords a second, and what they open is every CA key of the cluster.",
		"Take 32 random characters, such as from `openssl rand -hex 16`.",
	}, Message{
		"新令牌的密码只有 {count} 个字符。",
		"能读到数据存储或其备份的人，每秒可以试上百万个短密码，而打开后得到的是集群的全部 CA 私钥。",
		"请使用 32 个随机字符，例如由 `openssl rand -hex 16` 生成。",
	}},
	{"bootstrap-damaged", Message{
		"{subject}: is no bootstrap value of k3s: {detail}.",
		"A value is salt, colon, base64. It is sealed: a single wrong character and k3s does not start on it either.",
		"Export it again in a form that keeps every byte: `etcdctl get -w json`.",
	}, Message{
		"{subject}：不是 k3s 的引导数据：{detail}。",
		"其值由盐、冒号和 base64 组成，并带有认证：只要错一个字符，k3s 也无法凭它启动。",
		"请用不丢失任何字节的形式重新导出：`etcdctl get -w json`。",
	}},
	{"bootstrap-unknown", Message{
		"The data holds \"{name}\", a file that this version does not know.",
		"It is neither shown in full nor extracted, since nobody here knows where it belongs. A re-encrypted value keeps it.",
		"Look for a newer version of rootkiln, or extract on a server: k3s writes its files itself.",
	}, Message{
		"数据中含有“{name}”，本版本不认识这个文件。",
		"因为不知道它该放在哪里，所以既不完整显示，也不提取；重新加密的值会保留它。",
		"请查找更新版本的 rootkiln，或在服务器上恢复：k3s 会自行写出它的文件。",
	}},
	{"bootstrap-no-password", Message{
		"{subject}: was encrypted with no password at all.",
		"Old servers did that when they were started without a token. Whoever reads the datastore has every CA key.",
		"Start a current k3s with a token once: it encrypts the value anew. Then rotate the CAs.",
	}, Message{
		"{subject}：加密时完全没有密码。",
		"旧版服务器在没有令牌的情况下启动时就是如此。能读取数据存储的人就掌握全部 CA 私钥。",
		"请用新版 k3s 带令牌启动一次，它会重新加密。然后轮换 CA。",
	}},
	{"bootstrap-several", Message{
		"{subject}: is one of {count} keys under /bootstrap/.",
		"With more than one, k3s cannot save a rotation: \"found multiple bootstrap keys in storage\". The others belong to other tokens.",
		"Find out which one the servers use, then delete the others.",
	}, Message{
		"{subject}：是 /bootstrap/ 之下 {count} 个键之一。",
		"多于一个时，k3s 无法保存轮换结果，并报“found multiple bootstrap keys in storage”。其他的键属于别的令牌。",
		"请查明各服务器用的是哪一个，再删除其余的。",
	}},
	{"bootstrap-history", Message{
		"{subject}: older values are still in the database ({count}).",
		"kine keeps them until it compacts. CA keys that were rotated out can be read there with the same token.",
		"",
	}, Message{
		"{subject}：数据库中还留有更早的值（{count} 个）。",
		"kine 在压缩之前会保留它们。用同一令牌可以从中读出已轮换掉的 CA 私钥。",
		"",
	}},
	{"bootstrap-disk-newer", Message{
		"{subject}: differs from the datastore and is newer ({disk}, stored {stored}).",
		"From three seconds on k3s does not start: \"newer than datastore and could cause a cluster outage\".",
		"Keep a copy and delete the file: the next start writes it from the datastore. New CAs go in by `k3s certificate rotate-ca` alone.",
	}, Message{
		"{subject}：与数据存储不一致，而且更新（磁盘 {disk}，存储 {stored}）。",
		"新三秒或以上，k3s 就不启动：“newer than datastore and could cause a cluster outage”。",
		"请保留副本后删除该文件：下次启动会从数据存储写出它。新 CA 只能通过 `k3s certificate rotate-ca` 换入。",
	}},
	{"bootstrap-disk-replaced", Message{
		"{subject}: differs from the datastore.",
		"At its next start k3s writes the one from the datastore over it, without a backup.",
		"If the file on disk is the right one, copy it now and bring it in with `k3s certificate rotate-ca`.",
	}, Message{
		"{subject}：与数据存储不一致。",
		"下次启动时，k3s 会用数据存储中的内容覆盖它，不留备份。",
		"若磁盘上的文件才是对的，请现在就复制它，并用 `k3s certificate rotate-ca` 换入。",
	}},
	{"bootstrap-disk-missing", Message{
		"{subject}: is in the datastore and not here.",
		"At its next start k3s writes it from the datastore.",
		"",
	}, Message{
		"{subject}：在数据存储中有，这里没有。",
		"下次启动时，k3s 会从数据存储写出它。",
		"",
	}},
}
