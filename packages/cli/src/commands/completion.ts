/** `holdfast completion`: a script that asks `holdfast __complete` what may follow; files where it names nothing. */
import { HoldfastError } from '@holdfast/protocol'
import { command, examples } from '../command.ts'
import { nearest } from '../nearest.ts'

const scripts: Readonly<Record<string, string>> = {
  bash: `_holdfast() {
  mapfile -t COMPREPLY < <(holdfast __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _holdfast holdfast
`,
  zsh: `#compdef holdfast
_holdfast() {
  local -a found
  found=("\${(@f)$(holdfast __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -a found; else _files; fi
}
compdef _holdfast holdfast
`,
  fish: `function __holdfast_complete
  set -l words (commandline -opc) (commandline -ct)
  holdfast __complete $words[2..-1] 2>/dev/null
end
complete -c holdfast -a '(__holdfast_complete)'
`,
}

export const completionCommand = command({
  define(command) {
    examples(command, [
      ['source <(holdfast completion bash)', 'in ~/.bashrc'],
      ['source <(holdfast completion zsh)', 'in ~/.zshrc, after compinit'],
      ['holdfast completion fish | source', 'in ~/.config/fish/config.fish'],
    ])
  },
  async run({ output }, [shell = '']) {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined
    if (script === undefined) {
      const meant = nearest(shell, Object.keys(scripts))
      const known = `known are ${Object.keys(scripts).join(', ')}`
      throw new HoldfastError('invalid_input', `shell: ${meant ? `did you mean ${meant}?` : `${known}.`}`)
    }
    await output.text(script)
    return undefined
  },
})
