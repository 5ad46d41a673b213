import type { Strings } from '../strings.ts'

export const japanese: Strings = {
  language: 'ja',
  signedIn: 'サインインしました',
  failed: 'サインインできませんでした',
  notUsed: '何も変更されていません',
  account: 'アカウント',
  plan: 'プラン',
  profile: 'プロファイル',
  provider: 'プロバイダー',
  nextStep: '次の手順',
  closeTab: 'このタブは閉じてかまいません。',
  reasons: {
    denied: 'プロバイダーがサインインを拒否しました。',
    wrong_account: '想定とは異なるアカウントでサインインされました。',
    provider: 'プロバイダーに接続できないか、応答が正しくありません。',
    store: 'サインインをこのコンピューターに保存できませんでした。',
  },
  faults: {
    wrong_state:
      'これは、プログラムが待っているサインインではありません。プログラムに表示されているアドレスを開いてください。',
    already_answered: 'このサインインの応答はすでに届いています。結果はプログラムに表示されています。',
    repeated_parameter: 'プロバイダーが同じパラメーターを 2 回送信したため、この応答は信頼できません。',
    not_found: 'ここにページはありません。このポートは、サインインの応答を待つためだけのものです。',
    method_not_allowed: 'サインインの応答は、必ず GET で届きます。',
    wrong_host: 'サインインの応答が届くアドレスではありません。',
    body: 'サインインの応答に、リクエストの本文は付きません。',
    address_too_long: 'サインインの応答としては、アドレスが長すぎます。',
    headers_too_large:
      'ブラウザーがこのホストに送信した Cookie が多すぎます。Cookie を消去してから、もう一度サインインしてください。',
    too_slow: 'リクエストの到着に時間がかかりすぎました。',
    malformed: 'このリクエストは理解できません。',
  },
}
