package main

var (
	serveAbout = about{
		use:   "serve",
		short: text{"serve the page that this program carries, on this machine alone", "在本机上提供随程序附带的网页"},
		long: text{
			"Serves the page on the loopback interface, with the headers that a server on the\nweb has to send, and prints its address. The page makes and inspects bundles in the\nbrowser; this server sees nothing of it. An interrupt ends it.",
			"在本机回环接口上提供网页，附带正式托管时应有的全部响应头，并打印地址。\n网页在浏览器里生成和查看套件，服务器看不到任何内容。按中断键结束。"},
		example: `
  rootkiln serve
  rootkiln serve --open
  rootkiln serve --port 8700`,
	}

	flagPort = text{"port to listen on (default: a free one)", "监听的端口（默认任选一个空闲端口）"}
	flagOpen = text{"open the address in the browser", "在浏览器中打开该地址"}

	msgServing      = text{"the page is served on this machine alone; an interrupt (Ctrl-C) ends it", "网页只在本机提供；按中断键（Ctrl-C）结束"}
	msgNoBrowser    = text{"no browser could be started; open the address by hand", "无法启动浏览器；请手动打开该地址"}
	msgCannotListen = text{"cannot listen on port %d of 127.0.0.1: %s", "无法在 127.0.0.1 的端口 %d 上监听：%s"}
	msgNoPage       = text{"this program was built without the page; `make build` makes one with it", "此程序构建时未包含网页；用 `make build` 可构建包含网页的程序"}
)
