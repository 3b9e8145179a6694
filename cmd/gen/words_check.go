package main

import "rootkiln/pki/report"

var checkAbout = about{
	use:   "check PATH…",
	short: text{"expiry report: what ends when, what a restart renews, what to do", "到期报告：何时到期、重启会续期什么、该怎么做"},
	long: text{
		"Reports every certificate of k3s, RKE2 and kubeadm nodes: CA files, leaves and the\nchains behind them, dynamic-cert.json, kubeconfigs, leftovers. A PATH is a data\ndirectory (such as /var/lib/rancher/k3s or /etc/kubernetes), a copy, an archive or a\nsingle file. --at answers for any date: what is expired then, what a restart on that\nday renews, what stays broken, and the commands that mend it.\n\nEnds with 3 when something in use has expired, cannot be read, or ends within\n--within. -o openmetrics is for a textfile collector, -o ics for a calendar.",
		"报告 k3s、RKE2 和 kubeadm 节点上的每一张证书：CA 文件、叶子证书及其后的证书链、\ndynamic-cert.json、kubeconfig 和遗留文件。PATH 可以是数据目录（如 /var/lib/rancher/k3s\n或 /etc/kubernetes）、其副本、归档或单个文件。--at 可针对任意日期作答：届时哪些已过期，\n当天重启会续期哪些，哪些仍然无法使用，以及修复所需的命令。\n\n在用的证书已过期、无法读取或将在 --within 之内到期时，退出码为 3。\n-o openmetrics 供 textfile collector 使用，-o ics 供日历使用。"},
	example: `
  rootkiln check tls --within 30d
  rootkiln check tls tls.tar.gz -o wide
  rootkiln check tls -o json
  rootkiln check tls -o openmetrics > rootkiln.prom.new && mv rootkiln.prom.new rootkiln.prom
  rootkiln check tls -o ics > certificates.ics`,
}

var (
	flagWithin = text{"window before an end: 120d, 1y", "到期之前的预警时间：120d、1y"}

	headFilename  = text{"FILENAME", "文件名"}
	headSubject   = text{"SUBJECT", "主体"}
	headUsages    = text{"USAGES", "用途"}
	headExpires   = text{"EXPIRES", "到期时间"}
	headResidual  = text{"RESIDUAL TIME", "剩余时间"}
	headStatus    = text{"STATUS", "状态"}
	headAuthority = text{"CERTIFICATE AUTHORITY", "签发 CA"}
	headRestart   = text{"RESTART", "重启后"}
	headKind      = text{"KIND", "类别"}
	headNode      = text{"NODE", "节点"}

	msgCheckNothing = text{"%s holds no certificate", "%s 中没有证书"}
	msgCheckQuiet   = text{"quiet at %s: %d expired or not yet valid, %d ending within %dd, %d fine", "%s 时无需处理：%d 张已过期或尚未生效，%d 张将在 %d 天内到期，%d 张正常"}
	msgCheckAlarm   = text{"attention at %s: %d expired or not yet valid, %d ending within %dd, %d fine", "%s 时需要处理：%d 张已过期或尚未生效，%d 张将在 %d 天内到期，%d 张正常"}
	msgCheckNext    = text{"next: rootkiln check %s -o ics > certificates.ics puts the ends into a calendar", "下一步：rootkiln check %s -o ics > certificates.ics 把到期日放入日历"}
	msgCalendarEnd  = text{"%d certificates end: %s", "%d 张证书到期：%s"}
)

// restartWords say what a restart does to a certificate.
var restartWords = map[report.Restart]text{
	report.RestartRenews:    {"renews", "会续期"},
	report.RestartRenewsNow: {"renews since May 2025", "2025 年 5 月起会续期"},
	report.RestartKeeps:     {"keeps", "保持不变"},
	report.RestartUncertain: {"uncertain", "不确定"},
	report.RestartStays:     {"stays broken", "仍然无法使用"},
	report.RestartNever:     {"never renews", "不会续期"},
}
