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
  closeTab: 'Puedes cerrar esta pestaña y volver a la terminal.',
  faults: {
    wrong_state:
      'Este no es el inicio de sesión que espera la terminal. Abre la dirección que se muestra en ella.',
    already_answered: 'Este inicio de sesión ya ha vuelto. La terminal indica cómo ha terminado.',
    repeated_parameter:
      'El proveedor ha enviado dos veces el mismo parámetro, así que su respuesta no es fiable.',
    not_found: 'Aquí no hay ninguna página. Este puerto solo espera a que vuelva un inicio de sesión.',
    method_not_allowed: 'Un inicio de sesión vuelve mediante GET y de ninguna otra forma.',
    wrong_host: 'Esta no es la dirección a la que vuelve el inicio de sesión.',
    body: 'Un inicio de sesión vuelve en una solicitud sin cuerpo.',
    address_too_long: 'Esta dirección es demasiado larga para ser la de un inicio de sesión.',
    headers_too_large:
      'El navegador ha enviado demasiadas cookies para este host. Bórralas y vuelve a iniciar sesión.',
    too_slow: 'La solicitud ha tardado demasiado en llegar.',
    malformed: 'No se puede entender esta solicitud.',
  },
}
