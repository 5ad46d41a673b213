/** What each shell needs to ask `codex-auth __complete` and to show what it answers. */
export const COMPLETION_SCRIPTS = {
  bash: `# Completion of codex-auth for bash; bash-completion is not needed.
_codex_auth() {
  # The word at the cursor without a quote that opens it.
  local answer offset current=$2
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD - 1}" "$current")
  # What follows a = is a word of its own here.
  [[ $current == '=' ]] && current=
  COMPREPLY=()
  while IFS= read -r answer; do
    case $answer in
      :files) compopt -o default 2>/dev/null ;;
      :command*)
        offset=$((\${answer#:command } + 1))
        if declare -F _command_offset >/dev/null; then
          _command_offset "$offset"
        elif ((COMP_CWORD == offset)); then
          while IFS= read -r answer; do COMPREPLY+=("$answer"); done < <(compgen -c -- "$current")
        else
          compopt -o default 2>/dev/null
        fi
        ;;
      *)
        answer=\${answer%%$'\\t'*}
        [[ $answer == "$current"* ]] && COMPREPLY+=("$answer")
        ;;
    esac
  done < <(command codex-auth __complete "\${words[@]/#/:}" 2>/dev/null)
}
complete -F _codex_auth codex-auth
`,
  zsh: `#compdef codex-auth
# Completion of codex-auth for zsh, to be sourced after compinit, or kept as _codex-auth in a folder of $fpath.
_codex-auth() {
  local answer offset word description
  local -a answers described
  answers=("\${(@f)$(command codex-auth __complete "\${(@)words[2,CURRENT]/#/:}" 2>/dev/null)}")
  case $answers[1] in
    '') return 1 ;;
    :files) _files ;;
    :command*)
      offset=$(( \${answers[1]#:command } + 1 ))
      shift $offset words
      (( CURRENT -= offset ))
      _normal
      ;;
    *)
      for answer in $answers; do
        word=\${answer%%$'\\t'*}
        description=\${\${answer#$word}#$'\\t'}
        described+=("\${word//:/\\:}\${description:+:$description}")
      done
      _describe codex-auth described
      ;;
  esac
}
if [[ $funcstack[1] == _codex-auth ]]; then
  _codex-auth "$@"
else
  compdef _codex-auth codex-auth
fi
`,
  fish: `# Completion of codex-auth for fish.
function __codex_auth_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l answers (command codex-auth __complete :$words ":$current" 2>/dev/null)
    switch "$answers[1]"
        case :files
            __fish_complete_path "$current"
        case ':command *'
            set -l offset (string replace ':command ' '' -- $answers[1])
            set -l program (string escape -- $words[(math $offset + 1)..-1])
            complete -C "$program $current"
        case '*'
            string join \\n -- $answers
    end
end
complete -c codex-auth -f -a '(__codex_auth_complete)'
`,
  powershell: `# Completion of codex-auth for PowerShell.
Register-ArgumentCompleter -Native -CommandName 'codex-auth' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object { ":$($_.Extent.Text)" })
    if ($wordToComplete -eq '') { $words += ':' }
    foreach ($answer in @(& codex-auth '__complete' @words 2>$null)) {
        # PowerShell completes files where nothing else is offered.
        if ($answer.StartsWith(':')) { return }
        $word, $description = $answer -split "\`t", 2
        if (-not $description) { $description = $word }
        if ($word.StartsWith($wordToComplete, [StringComparison]::OrdinalIgnoreCase)) {
            [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $description)
        }
    }
}
`,
} as const
