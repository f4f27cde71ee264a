/** A Fault for the person at the terminal: what is wrong, where, and what would be right. */
import type { Fault } from '../base/fault.ts'

export function faultText(fault: Fault): string {
  const own = `salver: ${sentence(fault)}\n`
  return own + fault.faults.map((one) => `  ${sentence(one)}\n`).join('')
}

function sentence(fault: Fault): string {
  const where = fault.where === undefined ? '' : `${fault.where}: `
  const allowed = fault.allowed === undefined ? '' : ` (allowed: ${fault.allowed})`
  return `${where}${fault.message}${allowed}`
}
