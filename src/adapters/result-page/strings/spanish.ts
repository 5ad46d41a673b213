import type { Strings } from '../strings.ts'

export const spanish: Strings = {
  language: 'es',
  signedIn: 'Sesión iniciada',
  failed: 'El inicio de sesión no se completó',
  notUsed: 'No se ha cambiado nada',
  account: 'Cuenta',
  plan: 'Plan',
  profile: 'Perfil',
  provider: 'Proveedor',
  nextStep: 'Siguiente paso',
  closeTab: 'Ya puedes cerrar esta pestaña.',
  reasons: {
    denied: 'El proveedor ha rechazado el inicio de sesión.',
    wrong_account: 'La cuenta que ha iniciado sesión no es la esperada.',
    provider: 'No se ha podido contactar con el proveedor, o su respuesta no es válida.',
    store: 'El inicio de sesión no se ha podido guardar en este equipo.',
  },
  faults: {
    wrong_state: 'Este no es el inicio de sesión que espera el programa. Abre la dirección que este muestra.',
    already_answered:
      'La respuesta a este inicio de sesión ya ha llegado. El programa indica cómo ha terminado.',
    repeated_parameter:
      'El proveedor ha enviado dos veces el mismo parámetro, así que su respuesta no es fiable.',
    not_found: 'Aquí no hay ninguna página. Este puerto solo espera la respuesta a un inicio de sesión.',
    method_not_allowed: 'La respuesta a un inicio de sesión siempre llega mediante GET.',
    wrong_host: 'Esta no es la dirección a la que llega la respuesta a un inicio de sesión.',
    body: 'La respuesta a un inicio de sesión llega en una solicitud sin cuerpo.',
    address_too_long: 'Esta dirección es demasiado larga para ser la respuesta a un inicio de sesión.',
    headers_too_large:
      'El navegador ha enviado demasiadas cookies para este host. Bórralas y vuelve a iniciar sesión.',
    too_slow: 'La solicitud ha tardado demasiado en llegar.',
    malformed: 'No se puede entender esta solicitud.',
  },
}
