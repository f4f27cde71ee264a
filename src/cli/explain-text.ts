/** `salver config explain`: each setting with its value, where that came from and what it shadowed. */
import type { Explained } from './resolve-command.ts'
import type { Given } from './given.ts'
import type { Setting } from './settings.ts'
import { OPTIONS } from './options.ts'

const NAME_COLUMN = 16
const VALUE_COLUMN = 28

export function explainText({ settings }: Explained): string {
  return settings.all.map((setting) => `${settingLine(setting)}\n`).join('')
}

function settingLine(setting: Setting): string {
  const { flag, key, defaultText, secret } = OPTIONS[setting.option]
  const name = (flag === '' ? key : flag).padEnd(NAME_COLUMN)
  const shown = (given: Given) => (secret ? '****' : given.texts.join(', '))
  const [holds, ...shadowed] = setting.given
  if (holds === undefined || setting.outdoneBy !== '') {
    const value = (defaultText === '' ? '-' : defaultText).padEnd(VALUE_COLUMN)
    return `${name} ${value} ${defaultText === '' ? 'not set' : 'default'}${outdone(setting, shown)}`
  }
  const shadows = [
    ...shadowed.map((given) => `${given.place} (${shown(given)})`),
    ...(defaultText === '' ? [] : [`default (${defaultText})`]),
  ]
  const behind = shadows.length === 0 ? '' : `, shadows ${shadows.join(', ')}`
  return `${name} ${shown(holds).padEnd(VALUE_COLUMN)} ${holds.place}${behind}`
}

function outdone(setting: Setting, shown: (given: Given) => string): string {
  if (setting.outdoneBy === '') return ''
  const lost = setting.given.map((given) => `${given.place} (${shown(given)})`)
  return lost.length === 0 ? '' : `: ${lost.join(', ')} yields to ${setting.outdoneBy}`
}
