#compdef mgchain-sim
# SPDX-License-Identifier: Apache-2.0
# Written by tools/make-completion out of mgchain-sim --help.
autoload -U +X bashcompinit && bashcompinit
_mgchain_sim()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} options= words=
    [ "$prev" = "=" ] && prev=${COMP_WORDS[COMP_CWORD-2]}
    [ "$cur" = "=" ] && cur=
    if [ $COMP_CWORD -eq 1 ]; then
        COMPREPLY=($(compgen -W "check doctor evaluate export keys ledger new program run solve stochastic --help --version" -- "$cur"))
        return
    fi
    if [ "$command" = ledger ]; then
        if [ $COMP_CWORD -eq 2 ]; then
            COMPREPLY=($(compgen -W "export mend proof query verify" -- "$cur"))
            return
        fi
        command="ledger ${COMP_WORDS[2]}"
    fi
    case "$command" in
    "run") options="--days --help --incident --json --members --out --pool --progress --seed --threads --time-limit --version" ;;
    "solve") options="--admm --alone --central --gap --help --json --pool --progress --relax --threads --time-limit --version" ;;
    "evaluate") options="--days --gap --help --json --out --progress --relax --threads --time-limit --version" ;;
    "new") options="--help --progress --time-limit --version" ;;
    "check") options="--help --progress --time-limit --version" ;;
    "export") options="--fixed --help --microgrid --mps --progress --time-limit --version" ;;
    "program") options="--fixed --gap --help --json --mps --progress --relax --time-limit --tolerance --version" ;;
    "stochastic") options="--chi2 --cvar --gap --help --json --kl --method --norm-inf --norm1 --progress --relax --threads --time-limit --version --wasserstein --worst-case" ;;
    "ledger verify") options="--chain --help --json --progress --time-limit --version" ;;
    "ledger mend") options="--from --help --json --progress --time-limit --version" ;;
    "ledger query") options="--as --cursor --help --json --limit --progress --time-limit --version" ;;
    "ledger export") options="--as --help --out --progress --time-limit --version" ;;
    "ledger proof") options="--help --json --out --progress --time-limit --version"; words="transaction receipt block account" ;;
    "keys") options="--help --progress --time-limit --version" ;;
    "doctor") options="--help --progress --time-limit --version" ;;
    esac
    case "$prev" in
    --incident) COMPREPLY=($(compgen -W "dishonest-meter default dispute leader-crash partition low-credit equivocation" -- "$cur")); return ;;
    --method) COMPREPLY=($(compgen -W "auto direct ccg" -- "$cur")); return ;;
    --progress) COMPREPLY=($(compgen -W "auto plain json none" -- "$cur")); return ;;
    esac
    case "$cur" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$cur") $(compgen -f -- "$cur")) ;;
    esac
}
complete -o filenames -F _mgchain_sim mgchain-sim
_bash_complete -o filenames -F _mgchain_sim
