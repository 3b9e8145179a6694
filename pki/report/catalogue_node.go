package report

var nodeMessages = messages{
	{"expires-soon", Message{
		"{subject}: ends at {end}, in {days} days.",
		"From then on, whatever depends on it is refused.",
		"See the commands below the table.",
	}, Message{
		"{subject}：将于 {end} 到期，还有 {days} 天。",
		"到期之后，依赖它的一切都会被拒绝。",
		"请参见表格下方的命令。",
	}},
	{"ca-ends-soon", Message{
		"{subject}: this CA certificate ends at {end}, in {days} days.",
		"No restart renews a CA. When it ends, everything below it is refused at once, and no rotation reaches the server any more.",
		"Rotate the CA before that day.",
	}, Message{
		"{subject}：该 CA 证书将于 {end} 到期，还有 {days} 天。",
		"重启不会续期 CA。它一到期，其下的一切会同时失效，届时也无法再向服务器提交轮换。",
		"请在那一天之前轮换该 CA。",
	}},
	{"leaves-outlive-ca", Message{
		"{subject}: ends at {end}, before leaf certificates under it ({leaves}).",
		"These look good for longer than they are: k3s gives every leaf its full life and does not look at the CA's end.",
		"Rotate this CA before {end}; the dates of the leaf certificates are no warning.",
	}, Message{
		"{subject}：{end} 到期，早于它签发的 {leaves} 张叶子证书。",
		"这些证书看上去还能用更久，其实不然：k3s 总是给叶子证书完整的有效期，并不看 CA 何时到期。",
		"请在 {end} 之前轮换该 CA；叶子证书上的日期起不到提醒作用。",
	}},
	{"serving-expired", Message{
		"{subject}: the supervisor's serving certificate ended at {end} (checked for {at}).",
		"Nodes and kubectl refuse the server. A copy lies in the Secret k3s-serving, and each is restored from the other; before June 2025 k3s may not even start with it.",
		"Delete both, the Secret and the file, as the commands say; a restart alone is not enough.",
	}, Message{
		"{subject}：supervisor 的服务端证书已于 {end} 过期（按 {at} 检查）。",
		"节点和 kubectl 会拒绝该服务器。Secret k3s-serving 中还有一份副本，两者会互相恢复；2025 年 6 月之前的 k3s 甚至可能无法启动。",
		"请按给出的命令把 Secret 和文件都删除；仅重启是不够的。",
	}},
	{"serving-unreadable", Message{
		"{subject}: is not readable: {detail}.",
		"Releases of k3s before July 2026 do not start with such a file (k3s issue 14220). It happens when a disk is full or a machine is switched off.",
		"Delete it, as the commands say; it comes back from its Secret, or is made anew.",
	}, Message{
		"{subject}：无法读取：{detail}。",
		"2026 年 7 月之前的 k3s 遇到这样的文件无法启动（k3s issue 14220）。常见原因是磁盘写满或突然断电。",
		"请按给出的命令删除它；它会从 Secret 恢复或重新生成。",
	}},
	{"kubeadm-expired", Message{
		"{subject}: ended at {end} (checked for {at}).",
		"From its end on, whatever depends on it is refused. kubeadm renews at an upgrade or when told to, and never a CA.",
		"See the commands below the table. If {at} is wrong: correct the clock.",
	}, Message{
		"{subject}：已于 {end} 过期（按 {at} 检查）。",
		"过期之后，依赖它的一切都会被拒绝。kubeadm 只在升级时或按命令续期，且从不续期 CA。",
		"请参见表格下方的命令。若 {at} 不对：请校准时钟。",
	}},
	{"reference-missing", Message{
		"{subject}: names a certificate that is not among what was given: {path}.",
		"Nothing is known here about when it ends.",
		"Give its directory as well, or the whole node.",
	}, Message{
		"{subject}：引用了不在所给路径中的证书：{path}。",
		"因此无从得知它何时到期。",
		"请把它所在的目录或整个节点一并给出。",
	}},
	{"backup-leftover", Message{
		"{subject}: is a copy of the directory beside it, left behind by a rotation or a backup, with {count} certificates.",
		"Nothing reads it, so its dates do not count here; but the keys of all CAs lie in it.",
		"Delete it once the cluster has run well for a while.",
	}, Message{
		"{subject}：是轮换或备份时留下的、旁边目录的副本，含 {count} 张证书。",
		"没有程序会读取它，因此其中的日期不计入结果；但里面有所有 CA 的私钥。",
		"集群稳定运行一段时间后请删除它。",
	}},
	{"node-empty", Message{
		"{subject}: none of the CA files of a server is here.",
		"There is nothing to compare on this node.",
		"Give its data directory, its tls directory, an archive of them, or a dump of /cacerts.",
	}, Message{
		"{subject}：这里没有任何服务器 CA 文件。",
		"该节点没有可以比较的内容。",
		"请给出它的数据目录、tls 目录、二者的归档，或 /cacerts 的转储。",
	}},
	{"rotation-not-restarted", Message{
		"{subject}: still has the old content of {files}; last started at {time}.",
		"A server takes new CAs from the datastore at its start, and this one has not been started since they were made.",
		"Restart the server, then compare again.",
	}, Message{
		"{subject}：{files} 仍是旧内容；最近一次启动在 {time}。",
		"服务器在启动时从数据存储取得新的 CA，而新 CA 生成之后它还没有启动过。",
		"请重启该服务器，然后再次比较。",
	}},
	{"rotation-missed-bootstrap", Message{
		"{subject}: was started at {time}, after the rotation, and still has the old content of {files}.",
		"Known fault (k3s issue 11233): with embedded etcd and server: set, releases before March 2025 fetch the CAs from another server's disk and not from the datastore. There is no error message.",
		"Start this server once without server:, then put it back. v1.32.3, v1.31.7, v1.30.11, v1.29.15 and later do not have the fault.",
	}, Message{
		"{subject}：在轮换之后于 {time} 启动过，{files} 却仍是旧内容。",
		"这是已知问题（k3s issue 11233）：使用内嵌 etcd 并设置了 server: 时，2025 年 3 月之前的版本会从另一台服务器的磁盘而不是数据存储获取 CA，且不报任何错误。",
		"请去掉 server: 启动一次，再恢复原设置。v1.32.3、v1.31.7、v1.30.11、v1.29.15 及更高版本没有这个问题。",
	}},
	{"rotation-missed", Message{
		"{subject}: still has the old content of {files}.",
		"Either the server has not been restarted since the rotation, or it was, and with server: set, fetched the CAs from another server's disk (k3s issue 11233, before March 2025). The times of the files do not tell.",
		"Restart it. If that changes nothing and server: is set, start it once without server:, then put it back.",
	}, Message{
		"{subject}：{files} 仍是旧内容。",
		"要么轮换之后还没有重启过；要么重启过，但因设置了 server: 而从另一台服务器的磁盘获取了 CA（k3s issue 11233，2025 年 3 月之前的版本）。文件时间无法说明是哪一种。",
		"请重启它。若没有变化且设有 server:，请去掉 server: 启动一次，再恢复原设置。",
	}},
	{"rotation-not-taken", Message{
		"{subject}: was started at {time}, after the rotation, and still has the old content of {files}.",
		"Its configuration, as it was given, has no server:, so it is not the known fault (k3s issue 11233) unless --server or K3S_URL stands in its unit. Either the rotation was not saved, or this server has another datastore.",
		"Look into its unit for --server, and ask the datastore: `rootkiln bootstrap compare` says what the next start will make of the files.",
	}, Message{
		"{subject}：在轮换之后于 {time} 启动过，{files} 却仍是旧内容。",
		"所给的配置中没有 server:，因此不是已知问题（k3s issue 11233），除非其单元文件中有 --server 或 K3S_URL。要么轮换没有保存，要么这台服务器用的是另一个数据存储。",
		"请在其单元文件中查找 --server，并核对数据存储：`rootkiln bootstrap compare` 会说明下次启动时将如何处理这些文件。",
	}},
	{"node-unrelated", Message{
		"{subject}: has neither a CA nor a service key in common with the others; its {files} are of its own.",
		"The servers of a cluster share these files, and a rotation carries some of them on. Either it is of another cluster, or all was replaced by force and this server has not taken part.",
		"If it is of another cluster, leave it out. If not: keep a copy of its tls directory, and ask the datastore with `rootkiln bootstrap compare` before the server starts again.",
	}, Message{
		"{subject}：与其他服务器既没有共同的 CA，也没有共同的服务密钥；{files} 自成一套。",
		"同一集群的服务器共用这些文件，轮换也会沿用其中一部分。要么它属于另一个集群，要么全部文件曾被强制替换而这台服务器没有参与。",
		"若属于另一个集群，请不要一起比较。否则：请为其 tls 目录留一份副本，并在服务器再次启动之前用 `rootkiln bootstrap compare` 核对数据存储。",
	}},
	{"node-differs", Message{
		"{subject}: has a content of its own in {files}, neither the old nor the new one.",
		"All servers of a cluster share these files. Either two rotations crossed, or the node belongs to another cluster.",
		"If it is a node of this cluster, have it take the files from the datastore, as the commands say.",
	}, Message{
		"{subject}：{files} 的内容与其他节点都不同，既不是旧的，也不是新的。",
		"同一集群的所有服务器共用这些文件。要么是两次轮换相互交错，要么该节点属于另一个集群。",
		"若它确属本集群，请按给出的命令让它从数据存储重新取得这些文件。",
	}},
	{"node-incomplete", Message{
		"{subject}: lacks {files}, which other nodes have.",
		"At the next start k3s restores what is missing from the datastore; until then the running server works from memory.",
		"Restart the server, then compare again. In a copy: check that it is complete.",
	}, Message{
		"{subject}：缺少其他节点都有的 {files}。",
		"k3s 下次启动时会从数据存储恢复所缺文件；在那之前，运行中的服务器靠内存中的内容工作。",
		"请重启该服务器，然后再次比较。若这是一份副本：请检查它是否完整。",
	}},
	{"time-newer", Message{
		"{subject}: was changed at {time}, later than the new content ({want}).",
		"From three seconds on k3s takes the file for newer than the datastore and does not start: \"newer than datastore and could cause a cluster outage\".",
		"Remove the file before the restart, as the commands say; it comes back from the datastore.",
	}, Message{
		"{subject}：修改于 {time}，比新内容的时间（{want}）还晚。",
		"只要晚三秒，k3s 就会认为该文件比数据存储更新而拒绝启动，报错 newer than datastore and could cause a cluster outage。",
		"请按给出的命令在重启前删除该文件；它会从数据存储中恢复。",
	}},
	{"token-differs", Message{
		"The servers have {count} different join tokens.",
		"A node joins with the token of the server that it asks; with the other it is refused (\"token CA hash does not match\").",
		"Bring all servers to the same server-ca.crt first, then hand out the new token.",
	}, Message{
		"各服务器共有 {count} 种不同的加入令牌。",
		"节点须使用所连服务器的令牌加入，用另一种会被拒绝（token CA hash does not match）。",
		"请先让所有服务器的 server-ca.crt 一致，再分发新的令牌。",
	}},
	{"token-file-stale", Message{
		"{subject}: the file server/token has the hash {has}, server-ca.crt now gives {want}.",
		"k3s writes the file anew at each start, so this server has not been started since its CA changed; whoever copies the token from it gets the old one.",
		"Restart the server.",
	}, Message{
		"{subject}：server/token 文件中的哈希是 {has}，而按现在的 server-ca.crt 应为 {want}。",
		"k3s 每次启动都会重写该文件，可见更换 CA 之后它还没有启动过；从中复制令牌的人拿到的是旧令牌。",
		"请重启该服务器。",
	}},
}

// kubeadmMessages stand in for those that tell what k3s alone does.
var kubeadmMessages = messages{
	{"ca-ends-soon", Message{
		"{subject}: this CA certificate ends at {end}, in {days} days.",
		"kubeadm renews no CA. When it ends, everything below it is refused at once.",
		"Plan a manual CA rotation before that day.",
	}, Message{
		"{subject}：该 CA 证书将于 {end} 到期，还有 {days} 天。",
		"kubeadm 从不续期 CA。它一到期，其下的一切会同时失效。",
		"请在那一天之前安排手动轮换 CA。",
	}},
	{"leaf-stale", Message{
		"{subject}: was not made by the CA that now stands in {ca}.",
		"Clients that know the new CA alone refuse it, and kubeadm does not notice.",
		"Renew it with `kubeadm certs renew` on this node, then restart the static pods.",
	}, Message{
		"{subject}：不是由 {ca} 中现在的 CA 签发的。",
		"只信任新 CA 的客户端会拒绝它，而 kubeadm 不会察觉。",
		"请在该节点上用 `kubeadm certs renew` 续期，然后重启静态 Pod。",
	}},
}
