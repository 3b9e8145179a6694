package main

var (
	flagAgainst = text{"judge as the successor of these files, those of a running server (a tls directory, the one above it, or an archive): what `rotate-ca` answers", "作为这些文件（运行中服务器的 tls 目录、其上级目录或归档）的替换来判断：`rotate-ca` 会如何答复"}

	wordAgainst    = text{"against", "对照"}
	wordOffered    = text{"offered", "提交"}
	wordServersOwn = text{"the server's own", "服务器现有"}
	wordAccepted   = text{"accepted", "接受"}
	wordRefused    = text{"refused", "拒绝"}

	headRuling    = text{"What rotate-ca says, in its order", "rotate-ca 的逐项答复（按其顺序）"}
	headRulingLog = text{"In the server's log, without and with --force", "服务器日志：不加与加 --force"}

	msgRotateAccepted = text{"accepts the offer", "接受"}
	msgRotateRefused  = text{"refuses the offer, and nothing of it is stored", "拒绝，不保存其中任何内容"}
	msgForceHides     = text{"stores it all the same, and hides: %s", "仍会保存，并掩盖：%s"}
	msgTokenKept      = text{"the join token stays", "加入令牌不变"}
	msgTokenNew       = text{"the join token changes", "加入令牌改变"}

	msgAgainstNext  = text{"next, on one server: touch the files, then %s certificate rotate-ca --path DIR (the directory above tls); then restart %s on each server in turn, then on the agents", "下一步，在一台服务器上：先 touch 这些文件，再执行 %s certificate rotate-ca --path DIR（tls 的上级目录）；然后逐台重启各服务器上的 %s，最后重启 agent"}
	msgAgainstStdin = text{"PATH and --against cannot both be standard input", "PATH 与 --against 不能同时取自标准输入"}
)
