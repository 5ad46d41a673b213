import type { Strings } from '../strings.ts'

export const simplifiedChinese: Strings = {
  language: 'zh-Hans',
  signedIn: '登录成功',
  failed: '登录未完成',
  notUsed: '未作任何更改',
  account: '账号',
  plan: '套餐',
  profile: '配置',
  provider: '提供商',
  nextStep: '下一步',
  closeTab: '您可以关闭此标签页了。',
  reasons: {
    denied: '提供商拒绝了此次登录。',
    wrong_account: '登录的账号与预期不符。',
    provider: '无法连接提供商，或者其响应无效。',
    store: '无法在这台计算机上保存此次登录。',
  },
  faults: {
    wrong_state: '这不是程序正在等待的登录。请打开程序中显示的地址。',
    already_answered: '已收到此次登录的响应，结果请在程序中查看。',
    repeated_parameter: '提供商重复发送了同一个参数，因此其响应不可信。',
    not_found: '这里没有页面。此端口仅用于等待登录响应。',
    method_not_allowed: '登录响应只会以 GET 请求送达。',
    wrong_host: '登录响应不会发送到这个地址。',
    body: '登录响应的请求不带正文。',
    address_too_long: '此地址过长，不可能是登录响应。',
    headers_too_large: '浏览器为此主机发送了过多的 Cookie。请清除这些 Cookie，然后重新登录。',
    too_slow: '请求未能及时到达。',
    malformed: '无法理解此请求。',
  },
}
