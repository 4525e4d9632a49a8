# Cost per id: by the number of ids of a call (left), by the size of the pivot table (right).
# Set before: terminal, output; rows and ids, which stay the same left and right; n, how many lines
# there are; and $data, a block for each line on the left, then for each on the right.
set encoding utf8
set logscale xy
set format x "10^{%L}"
set yrange [0.1:1000]
set ytics ("0.1" 0.1, "1" 1, "10" 10, "100" 100, "1000" 1000)
set mytics 10
set ylabel "µs per id"
set grid ytics xtics lt 1 lc rgb "#dddddd"
set style line 1 lc rgb "#1f77b4" lw 2 pt 7 ps 0.7
set style line 2 lc rgb "#888888" lw 2 pt 7 ps 0.7 dt 2
set style line 3 lc rgb "#d62728" lw 2 pt 7 ps 0.7
set style line 4 lc rgb "#2ca02c" lw 2 pt 7 ps 0.7
set style line 5 lc rgb "#9467bd" lw 2 pt 7 ps 0.7
set key top left Left reverse samplen 2 noenhanced
set multiplot layout 1,2

set xlabel "ids in one call (pivot table of ".rows." rows)"
set xrange [70:1.4e6]
plot for [i = 1:n] $data index i - 1 using 1:2 with linespoints ls i title columnheader(1)

unset key
set xlabel "rows of the pivot table (".ids." ids in one call)"
set xrange [7e3:1.4e7]
plot for [i = 1:n] $data index n + i - 1 using 1:2 with linespoints ls i title columnheader(1)
unset multiplot
