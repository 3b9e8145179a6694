package main

import "rootkiln/pki/report"

var compareAbout = about{
	use:   "compare PATH PATH…",
	short: text{"put servers side by side after a rotation: who has the new CAs", "轮换之后并列比较各服务器：谁已取得新的 CA"},
	long: text{
		"Compares the CA files of several servers of one cluster: which file is new, old or of\nits own on which node, whether leaf certificates and join token follow, and the cause\nand the commands where a node was left behind. A PATH is a data directory, a tls\ndirectory, an archive of them, or a dump of /cacerts (curl -ks .../cacerts). With --new,\nnew is what stands in the directory that rotate-ca was given.\n\nCopies must keep the modification times (cp -p, tar): they tell a forgotten restart from\na fault. Ends with 3 when a node differs.",
		"比较同一集群中多台服务器的 CA 文件：哪个节点上的哪个文件是新的、旧的或与众不同，\n叶子证书和加入令牌是否已随之更新；若有节点落后，给出原因和命令。PATH 可以是数据目录、\ntls 目录、它们的归档，或 /cacerts 的转储（curl -ks …/cacerts）。使用 --new 时，以交给\nrotate-ca 的目录中的内容为新。\n\n复制时须保留修改时间（cp -p、tar）：忘记重启与故障正是靠它区分。有节点不一致时退出码为 3。"},
	example: `
  rootkiln compare tls tls.tar.gz
  rootkiln compare tls tls tls/server-ca.crt -o wide
  rootkiln compare tls tls --new tls -o json`,
}

var (
	flagNew = text{"directory or archive that rotate-ca was given: what new means", "交给 rotate-ca 的目录或归档：以其内容为新"}

	headCompared = text{"FILE", "文件"}
	wordStarted  = text{"started", "启动于"}
	wordLeaves   = text{"leaves", "叶子证书"}

	msgLeavesFollow  = text{"%d of %d under the CA beside them", "%d/%d 由同目录中的 CA 签发"}
	msgTokenInFile   = text{"in server/token: %s...", "server/token 中：%s…"}
	msgServerFlag    = text{"server: %s", "配置了 server: %s"}
	msgCompareEqual  = text{"equal: %d servers have the same CA files", "一致：%d 台服务器的 CA 文件相同"}
	msgCompareDiffer = text{"not equal: errors %d, warnings %d", "不一致：错误 %d，警告 %d"}
	msgCompareNext   = text{"next: rootkiln verify %s judges what they have in common", "下一步：rootkiln verify %s 判断它们共有的内容"}
)

// cellWords are the states of a cell.
var cellWords = map[report.CellState]text{
	report.CellSame:    {"same", "相同"},
	report.CellNew:     {"new", "新"},
	report.CellOld:     {"old", "旧"},
	report.CellOther:   {"other", "其他"},
	report.CellMissing: {"missing", "缺失"},
}
