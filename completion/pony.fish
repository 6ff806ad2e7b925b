# fish completion for pony. All is asked of pony itself, so this never gets
# old: `pony completion fish` prints it.
#   pony completion fish > ~/.config/fish/completions/pony.fish
function __pony_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in (command $before[1] complete -- $before[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :dirs
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c pony -f -k -a '(__pony_complete)'
